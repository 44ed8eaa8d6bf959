#include "bounds/centroid_bounds_length.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/table.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t most_asked = 64;                     // of the sample, whose nearest centroids are looked for
constexpr std::size_t most_values = std::size_t{1} << 24;  // in a sample

// Rough costs in nanoseconds, which need only be right to a factor of two.
constexpr double bytes_multiplied = 200, floats_multiplied = 55;  // elements a nanosecond
constexpr double bytes_gathered = 40, gather_latency = 15;

double plain_cost(std::size_t dim, std::size_t clusters) {
  return static_cast<double>(dim * clusters) / floats_multiplied;
}

}  // namespace

std::vector<double> squares_of(std::span<const float> rows, std::size_t dim) {
  std::vector<double> squares(rows.size() / dim, 0.0);
  for (std::size_t i = 0; i < squares.size(); ++i)
    for (std::size_t d = 0; d < dim; ++d) squares[i] += static_cast<double>(rows[i * dim + d]) * rows[i * dim + d];
  return squares;
}

bool may_pay(std::size_t dim, std::size_t clusters, std::size_t searches) {
  const double learning =
      14 * static_cast<double>(std::min(longest_projection, dim) * dim * most_learned) / floats_multiplied;
  return dim >= 16 && clusters >= 64 && plain_cost(dim, clusters) * static_cast<double>(searches) > 3 * learning;
}

BoundsSample::BoundsSample(std::span<const float> rows, std::size_t dim)
    : center_(dim), centered_(std::min({most_learned, most_values / dim, rows.size() / dim}) * dim) {
  const std::size_t all = rows.size() / dim, sampled = centered_.size() / dim;
  std::vector<double> sums(dim, 0.0);
  for (std::size_t i = 0; i < sampled; ++i) {
    const float* const row = rows.data() + i * all / sampled * dim;
    for (std::size_t d = 0; d < dim; ++d) sums[d] += centered_[i * dim + d] = row[d];
  }
  for (std::size_t d = 0; d < dim; ++d) center_[d] = static_cast<float>(sums[d] / static_cast<double>(sampled));
  for (std::size_t i = 0; i < sampled; ++i)
    for (std::size_t d = 0; d < dim; ++d) centered_[i * dim + d] -= center_[d];
  for (const double square : squares_of(centered_, dim)) mean_square_ += square / static_cast<double>(sampled);
}

std::size_t BoundsSample::best_length(std::span<const float> directions, std::span<const float> centroids,
                                      std::size_t rounds, unsigned threads) const {
  constexpr std::size_t candidates[] = {12, 20, 28, 36, 44, 60, 92, 124};
  const std::size_t dim = center_.size(), clusters = centroids.size() / dim;
  const std::size_t most = directions.size() / dim, points = std::min(most_asked, count());
  std::vector<float> some(points * dim), middles(centroids.begin(), centroids.end());
  for (std::size_t i = 0; i < points; ++i)
    std::copy_n(centered_.data() + i * count() / points * dim, dim, some.data() + i * dim);
  for (std::size_t c = 0; c < clusters; ++c)
    for (std::size_t d = 0; d < dim; ++d) middles[c * dim + d] -= center_[d];
  std::vector<float> of_points(most * points), of_centroids(most * clusters), exact(points * clusters);
  products(directions, some, dim, threads, of_points);
  products(directions, middles, dim, threads, of_centroids);
  parallel_for(points, threads, [&](std::size_t i, unsigned) {
    kernels().squared_l2_f32.scan(some.data() + i * dim, reinterpret_cast<const std::byte*>(middles.data()),
                                  dim * sizeof(float), clusters, dim, exact.data() + i * clusters);
  });

  std::vector<double> point_rest = squares_of(some, dim), centroid_rest = squares_of(middles, dim);
  std::vector<float> bounds(points * clusters, 0.0f);
  double best = 0.6 * plain_cost(dim, clusters), energy = 0;
  std::size_t length = 0, coordinate = 0;
  for (const std::size_t candidate : candidates) {
    if (candidate > most) break;
    for (; coordinate < candidate; ++coordinate) {
      const float* const a = of_points.data() + coordinate * points;
      const float* const b = of_centroids.data() + coordinate * clusters;
      for (std::size_t c = 0; c < clusters; ++c) centroid_rest[c] -= static_cast<double>(b[c]) * b[c];
      for (std::size_t i = 0; i < points; ++i) {
        energy += static_cast<double>(a[i]) * a[i];
        point_rest[i] -= static_cast<double>(a[i]) * a[i];
        for (std::size_t c = 0; c < clusters; ++c) bounds[i * clusters + c] += (a[i] - b[c]) * (a[i] - b[c]);
      }
    }
    // Rounding to steps of 3 deviations / 127 moves a code by sqrt(length / 12) steps, and there are two of them.
    const double deviation = std::sqrt(energy / static_cast<double>(points * candidate));
    const double rounding = 2.4 * deviation * 3 / 127 * std::sqrt(static_cast<double>(candidate + 4) / 12);
    std::size_t survivors = 0;
    for (std::size_t i = 0; i < points; ++i) {
      const float* const all = exact.data() + i * clusters;
      // The sampled rows may be centroids themselves: then the next nearest stands for what others will have.
      float nearest = std::numeric_limits<float>::infinity();
      for (std::size_t c = 0; c < clusters; ++c)
        if (all[c] > 0) nearest = std::min(nearest, all[c]);
      const double limit = std::pow(std::sqrt(static_cast<double>(nearest)) + rounding, 2);
      const double rest = std::sqrt(std::max(0.0, point_rest[i]));
      for (std::size_t c = 0; c < clusters; ++c) {
        const double other = std::sqrt(std::max(0.0, centroid_rest[c]));
        survivors += static_cast<double>(bounds[i * clusters + c]) + (rest - other) * (rest - other) <= limit;
      }
    }
    const double each = gather_latency + static_cast<double>(dim * sizeof(float)) / bytes_gathered;
    const double encoding = static_cast<double>(candidate * dim) / floats_multiplied / static_cast<double>(rounds);
    const double cost = static_cast<double>((candidate + 4) * clusters) / bytes_multiplied + encoding +
                        static_cast<double>(survivors) / static_cast<double>(points) * each;
    if (!(cost < best)) continue;
    best = cost;
    length = candidate;
  }
  return length;
}

}  // namespace lookalike
