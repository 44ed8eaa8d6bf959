#include "cluster/kmeans.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>

#include "base/errors.hpp"
#include "cluster/balance.hpp"
#include "cluster/bound_screen.hpp"
#include "cluster/float_screen.hpp"
#include "cluster/members.hpp"
#include "cluster/repair.hpp"
#include "cluster/running_means.hpp"
#include "cluster/seeding.hpp"

namespace lookalike {
namespace {

void require_valid(const KMeansSettings& settings, std::size_t count, std::size_t dim, std::span<const float> initial) {
  if (settings.clusters == 0) throw InvalidArgument("clusters is 0; it must be at least 1");
  if (count < settings.clusters) {
    throw InvalidArgument("there are " + std::to_string(count) + " points for " + std::to_string(settings.clusters) +
                          " clusters; as many points as clusters are needed");
  }
  if (!initial.empty() && initial.size() != settings.clusters * dim)
    throw InvalidArgument("initial holds " + std::to_string(initial.size()) +
                          " values; it must hold clusters x dim = " + std::to_string(settings.clusters * dim));
  if (settings.max_imbalance != 0 && !(settings.max_imbalance >= 1))
    throw InvalidArgument("most_imbalance is " + std::to_string(settings.max_imbalance) + "; it must be at least 1");
  if (!(settings.tolerance >= 0))
    throw InvalidArgument("tolerance is " + std::to_string(settings.tolerance) + "; it must be at least 0");
}

std::vector<float> gather_rows(std::span<const float> points, std::size_t dim, std::span<const Row> rows) {
  std::vector<float> centroids;
  centroids.reserve(rows.size() * dim);
  for (const Row row : rows) {
    const float* const point = points.data() + row * dim;
    centroids.insert(centroids.end(), point, point + dim);
  }
  return centroids;
}

/// The variance of a sample of the points, averaged over the coordinates.
double mean_variance(std::span<const float> points, std::size_t dim) {
  const std::size_t count = points.size() / dim, samples = std::min<std::size_t>(count, 4096);
  std::vector<double> sums(dim, 0.0);
  double squares = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    const float* const point = points.data() + i * count / samples * dim;
    for (std::size_t d = 0; d < dim; ++d) {
      sums[d] += static_cast<double>(point[d]);
      squares += static_cast<double>(point[d]) * point[d];
    }
  }
  for (const double sum : sums) squares -= sum * sum / static_cast<double>(samples);
  return std::max(0.0, squares) / static_cast<double>(samples * dim);
}

/// Assigns the same points to changing centroids.
class Assignment {
 public:
  Assignment(std::span<const float> points, std::size_t dim, std::span<const float> centroids, std::size_t rounds,
             unsigned threads)
      : points_(points),
        dim_(dim),
        threads_(threads),
        bounds_(CentroidBounds::train(points, dim, centroids, rounds, threads)) {
    if (bounds_) encoded_points_.emplace(*bounds_, points, threads);
  }

  /// Null if bounds do not pay off.
  const CentroidBounds* bounds() const noexcept { return bounds_.get(); }

  void assign(std::span<const float> centroids, std::span<std::uint32_t> labels) {
    if (!encoded_points_) return FloatScreen(centroids, dim_, threads_).assign(points_, threads_, labels, {});
    BoundScreen(*bounds_, centroids, threads_).assign(*encoded_points_, points_, guess_, threads_, labels, {});
    guess_ = BoundScreen::Guess::labels;
  }

 private:
  std::span<const float> points_;
  std::size_t dim_;
  unsigned threads_;
  std::unique_ptr<const CentroidBounds> bounds_;
  std::optional<EncodedPoints> encoded_points_;
  BoundScreen::Guess guess_ = BoundScreen::Guess::none;
};

/// The largest allowed number of points in a cluster.
std::size_t capacity_for(std::size_t count, const KMeansSettings& settings) {
  const double mean = static_cast<double>(count) / static_cast<double>(settings.clusters);
  const double max_size = std::min(settings.max_imbalance * mean, static_cast<double>(count));
  return std::max(static_cast<std::size_t>(max_size), (count + settings.clusters - 1) / settings.clusters);
}

double squared_shift(std::span<const float> before, std::span<const float> after) {
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double moved = static_cast<double>(after[i]) - before[i];
    sum += moved * moved;
  }
  return sum;
}

}  // namespace

Clustering kmeans(std::span<const float> points, std::size_t dim, const KMeansSettings& settings, unsigned threads,
                  std::span<const float> initial) {
  const std::size_t count = points.size() / std::max<std::size_t>(dim, 1);
  require_valid(settings, count, dim, initial);
  Clustering result;
  result.centroids = initial.empty() ? gather_rows(points, dim, random_rows(count, settings.clusters, settings.seed))
                                     : std::vector<float>(initial.begin(), initial.end());
  result.labels.resize(count);
  const double max_squared_shift = settings.tolerance * mean_variance(points, dim);
  Assignment assignment(points, dim, result.centroids, settings.iterations + 1, threads);

  if (initial.empty() && settings.seeding == Seeding::plus_plus)
    result.centroids =
        gather_rows(points, dim,
                    kmeans_plus_plus_rows(points, dim, settings.clusters, settings.seed, assignment.bounds(), threads));

  RunningMeans means(points, dim, settings.clusters, threads);
  std::vector<float> before;
  assignment.assign(result.centroids, result.labels);
  while (result.iterations < settings.iterations) {
    ++result.iterations;
    before = result.centroids;
    means.update(result.labels, result.centroids);
    refill_empty_clusters(points, dim, result.labels, result.centroids, threads);
    assignment.assign(result.centroids, result.labels);
    if (squared_shift(before, result.centroids) <= max_squared_shift) break;
  }
  if (settings.max_imbalance > 0) {
    constexpr int rounds = 3;  // after each, centroids follow their points, so that fewer points must move
    const std::size_t capacity = capacity_for(count, settings);
    for (int round = 0; round < rounds; ++round) {
      if (move_overflow(points, dim, result.centroids, capacity, threads, result.labels) == 0 || round + 1 == rounds)
        break;
      move_to_means(points, dim, Members(result.labels, settings.clusters), threads, result.centroids);
      assignment.assign(result.centroids, result.labels);
    }
  }
  const std::vector<double> squares = squares_to(points, dim, result.labels, result.centroids, threads);
  result.objective = std::accumulate(squares.begin(), squares.end(), 0.0);
  return result;
}

}  // namespace lookalike
