#include "cluster/repair.hpp"

#include <algorithm>

namespace lookalike {
namespace {

/// A cluster's sum of squared distances and its points, the farthest last.
struct Donor {
  double cost = 0;
  std::vector<std::pair<double, Row>> points;

  double farthest() const { return points.size() > 1 ? points.back().first : 0; }
};

std::vector<Donor> donors_of(std::span<const double> squares, std::span<const std::uint32_t> labels,
                             std::size_t clusters) {
  std::vector<Donor> donors(clusters);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    donors[labels[i]].cost += squares[i];
    donors[labels[i]].points.emplace_back(squares[i], static_cast<Row>(i));
  }
  for (Donor& donor : donors)
    std::sort(donor.points.begin(), donor.points.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
  return donors;
}

}  // namespace

std::size_t refill_empty_clusters(std::span<const float> points, std::size_t dim, std::span<std::uint32_t> labels,
                                  std::span<float> centroids, unsigned threads) {
  const std::size_t clusters = centroids.size() / dim;
  std::vector<bool> is_empty(clusters, true);
  for (const std::uint32_t label : labels) is_empty[label] = false;
  if (std::find(is_empty.begin(), is_empty.end(), true) == is_empty.end()) return 0;

  std::vector<Donor> donors = donors_of(squares_to(points, dim, labels, centroids, threads), labels, clusters);
  std::size_t refilled = 0;
  for (std::size_t empty = 0; empty < clusters; ++empty) {
    if (!is_empty[empty]) continue;
    const auto donor = std::max_element(donors.begin(), donors.end(), [](const Donor& a, const Donor& b) {
      return (a.farthest() > 0 ? a.cost : 0) < (b.farthest() > 0 ? b.cost : 0);
    });
    if (!(donor->farthest() > 0)) break;
    const auto [square, row] = donor->points.back();
    donor->points.pop_back();
    donor->cost = std::max(0.0, donor->cost - square);
    labels[row] = static_cast<std::uint32_t>(empty);
    ++refilled;
  }
  if (refilled > 0) move_to_means(points, dim, Members(labels, clusters), threads, centroids);
  return refilled;
}

}  // namespace lookalike
