#include "cluster/running_means.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "cluster/members.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t values_together = std::size_t{1} << 18, clusters_together = 16;

template <class Body>
void for_pieces(std::span<const float> values, unsigned threads, Body&& body) {
  parallel_for((values.size() + values_together - 1) / values_together, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * values_together;
    body(values.subspan(first, std::min(values_together, values.size() - first)));
  });
}

bool are_whole(std::span<const float> values, double scale) {
  constexpr double magic = 0x1.8p52;  // what is added to it is rounded to whole numbers
  std::int64_t others = 0;            // no early exit, so that it vectorises
  for (const float value : values) {
    const double scaled = static_cast<double>(value) * scale;
    others += (scaled + magic) - magic != scaled;
  }
  return others == 0;
}

/// Places in `rows`, by the labels of these rows.
Members moved(std::span<const Row> rows, std::span<const std::uint32_t> labels, std::size_t clusters) {
  std::vector<std::uint32_t> of_rows(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) of_rows[i] = labels[rows[i]];
  return Members(of_rows, clusters);
}

}  // namespace

bool has_exact_sums(std::span<const float> points, std::size_t dim, unsigned threads) {
  std::atomic<float> largest = 0;
  for_pieces(points, threads, [&](std::span<const float> values) {
    float most = 0;
    for (const float value : values) most = std::max(most, std::fabs(value));
    float known = largest.load();
    while (most > known && !largest.compare_exchange_weak(known, most)) {
    }
  });
  // All values are whole multiples of a power of two, of which sums of them have less than 2^51.
  const double sum = std::max(static_cast<double>(largest.load()), 0x1p-126) * static_cast<double>(points.size() / dim);
  const double scale = std::exp2(50 - std::ceil(std::log2(sum)));
  std::atomic<bool> whole = true;
  for_pieces(points, threads, [&](std::span<const float> values) {
    if (whole.load(std::memory_order_relaxed) && !are_whole(values, scale)) whole = false;
  });
  return whole;
}

RunningMeans::RunningMeans(std::span<const float> points, std::size_t dim, std::size_t clusters, unsigned threads)
    : points_(points),
      dim_(dim),
      clusters_(clusters),
      threads_(threads),
      is_exact_(has_exact_sums(points, dim, threads)) {}

void RunningMeans::move(std::span<const std::uint32_t> labels, std::span<float> centroids) {
  if (!is_exact_) return move_to_means(points_, dim_, Members(labels, clusters_), threads_, centroids);
  if (labels_.empty()) sums_.assign(clusters_ * dim_, 0.0);
  update(labels);
  labels_.assign(labels.begin(), labels.end());
  std::vector<std::size_t> lengths(clusters_, 0);
  for (const std::uint32_t label : labels) ++lengths[label];
  for (std::size_t c = 0; c < clusters_; ++c) {
    if (lengths[c] == 0) continue;
    for (std::size_t d = 0; d < dim_; ++d)
      centroids[c * dim_ + d] = static_cast<float>(sums_[c * dim_ + d] / static_cast<double>(lengths[c]));
  }
}

void RunningMeans::update(std::span<const std::uint32_t> labels) {
  std::vector<Row> changed;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels_.empty() || labels_[i] != labels[i]) changed.push_back(static_cast<Row>(i));
  const Members joined = moved(changed, labels, clusters_);
  const Members left = labels_.empty() ? Members({}, clusters_) : moved(changed, labels_, clusters_);
  parallel_for((clusters_ + clusters_together - 1) / clusters_together, threads_, [&](std::size_t task, unsigned) {
    for (std::size_t c = task * clusters_together; c < std::min(clusters_, (task + 1) * clusters_together); ++c) {
      const std::span<double> sums(sums_.data() + c * dim_, dim_);
      const auto row_of = [&](std::span<const Row> places) {
        return [&changed, places](std::size_t i) { return changed[places[i]]; };
      };
      add_rows(points_, joined.of(c).size(), row_of(joined.of(c)), 1, sums);
      add_rows(points_, left.of(c).size(), row_of(left.of(c)), -1, sums);
    }
  });
}

}  // namespace lookalike
