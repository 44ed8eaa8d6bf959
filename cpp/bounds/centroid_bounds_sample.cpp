#include "bounds/centroid_bounds_sample.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bounds/cost_model.hpp"
#include "kernels/table.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t max_sampled_queries = 64;                  // rows of the sample that serve as queries
constexpr std::size_t max_sample_values = std::size_t{1} << 24;  // rows x dim

// Rough speeds; a factor of two does not matter.
constexpr double gathered_bytes_per_ns = 40, gather_latency_ns = 15;

/// Nanoseconds to compute the distances of a row to all centroids.
double exact_cost(std::size_t dim, std::size_t clusters) {
  return static_cast<double>(dim * clusters) / float_products_per_ns;
}

}  // namespace

std::vector<double> squared_norms(std::span<const float> rows, std::size_t dim) {
  std::vector<double> squares(rows.size() / dim, 0.0);
  for (std::size_t i = 0; i < squares.size(); ++i)
    for (std::size_t d = 0; d < dim; ++d) squares[i] += static_cast<double>(rows[i * dim + d]) * rows[i * dim + d];
  return squares;
}

bool may_pay_off(std::size_t dim, std::size_t clusters, std::size_t searches) {
  const double training_cost =
      14 * static_cast<double>(std::min(max_projected_dim, dim) * dim * CentroidBoundsSample::max_rows) /
      float_products_per_ns;
  return dim >= 16 && clusters >= 64 && exact_cost(dim, clusters) * static_cast<double>(searches) > 3 * training_cost;
}

CentroidBoundsSample::CentroidBoundsSample(std::span<const float> rows, std::size_t dim)
    : center_(dim), centered_(std::min({max_rows, max_sample_values / dim, rows.size() / dim}) * dim) {
  const std::size_t all = rows.size() / dim, sampled = centered_.size() / dim;
  std::vector<double> sums(dim, 0.0);
  for (std::size_t i = 0; i < sampled; ++i) {
    const float* const row = rows.data() + i * all / sampled * dim;
    for (std::size_t d = 0; d < dim; ++d) sums[d] += centered_[i * dim + d] = row[d];
  }
  for (std::size_t d = 0; d < dim; ++d) center_[d] = static_cast<float>(sums[d] / static_cast<double>(sampled));
  for (std::size_t i = 0; i < sampled; ++i)
    for (std::size_t d = 0; d < dim; ++d) centered_[i * dim + d] -= center_[d];
  for (const double square : squared_norms(centered_, dim)) mean_square_ += square / static_cast<double>(sampled);
}

std::size_t CentroidBoundsSample::best_length(std::span<const float> directions, std::span<const float> centroids,
                                              std::size_t rounds, unsigned threads) const {
  constexpr std::size_t candidates[] = {12, 20, 28, 36, 44, 60, 92, 124};
  const std::size_t dim = center_.size(), clusters = centroids.size() / dim;
  const std::size_t max_length = directions.size() / dim, queries = std::min(max_sampled_queries, count());
  std::vector<float> query_rows(queries * dim), centered_centroids(centroids.begin(), centroids.end());
  for (std::size_t i = 0; i < queries; ++i)
    std::copy_n(centered_.data() + i * count() / queries * dim, dim, query_rows.data() + i * dim);
  for (std::size_t c = 0; c < clusters; ++c)
    for (std::size_t d = 0; d < dim; ++d) centered_centroids[c * dim + d] -= center_[d];
  std::vector<float> projected_queries(max_length * queries), projected_centroids(max_length * clusters),
      exact(queries * clusters);
  inner_products(directions, query_rows, dim, threads, projected_queries);
  inner_products(directions, centered_centroids, dim, threads, projected_centroids);
  parallel_for(queries, threads, [&](std::size_t i, unsigned) {
    kernels().squared_l2_f32.scan(query_rows.data() + i * dim,
                                  reinterpret_cast<const std::byte*>(centered_centroids.data()), dim * sizeof(float),
                                  clusters, dim, exact.data() + i * clusters);
  });

  std::vector<double> query_residuals = squared_norms(query_rows, dim),
                      centroid_residuals = squared_norms(centered_centroids, dim);
  std::vector<float> bounds(queries * clusters, 0.0f);
  double best_cost = 0.6 * exact_cost(dim, clusters), energy = 0;
  std::size_t length = 0, coordinate = 0;
  for (const std::size_t candidate : candidates) {
    if (candidate > max_length) break;
    for (; coordinate < candidate; ++coordinate) {
      const float* const a = projected_queries.data() + coordinate * queries;
      const float* const b = projected_centroids.data() + coordinate * clusters;
      for (std::size_t c = 0; c < clusters; ++c) centroid_residuals[c] -= static_cast<double>(b[c]) * b[c];
      for (std::size_t i = 0; i < queries; ++i) {
        energy += static_cast<double>(a[i]) * a[i];
        query_residuals[i] -= static_cast<double>(a[i]) * a[i];
        for (std::size_t c = 0; c < clusters; ++c) bounds[i * clusters + c] += (a[i] - b[c]) * (a[i] - b[c]);
      }
    }
    // With a step of 3 deviations / 127, a code's rounding error is about sqrt(length / 12) steps. Both codes have one.
    const double deviation = std::sqrt(energy / static_cast<double>(queries * candidate));
    const double rounding_error = 2.4 * deviation * 3 / 127 * std::sqrt(static_cast<double>(candidate + 4) / 12);
    std::size_t survivors = 0;
    for (std::size_t i = 0; i < queries; ++i) {
      const float* const all = exact.data() + i * clusters;
      // A sampled row may be a centroid itself, at distance 0. Its next nearest centroid is typical for other rows.
      float nearest = std::numeric_limits<float>::infinity();
      for (std::size_t c = 0; c < clusters; ++c)
        if (all[c] > 0) nearest = std::min(nearest, all[c]);
      const double limit = std::pow(std::sqrt(static_cast<double>(nearest)) + rounding_error, 2);
      const double query_residual = std::sqrt(std::max(0.0, query_residuals[i]));
      for (std::size_t c = 0; c < clusters; ++c) {
        const double centroid_residual = std::sqrt(std::max(0.0, centroid_residuals[c]));
        survivors += static_cast<double>(bounds[i * clusters + c]) +
                         (query_residual - centroid_residual) * (query_residual - centroid_residual) <=
                     limit;
      }
    }
    const double gather_cost = gather_latency_ns + static_cast<double>(dim * sizeof(float)) / gathered_bytes_per_ns;
    const double encoding_cost =
        static_cast<double>(candidate * dim) / float_products_per_ns / static_cast<double>(rounds);
    const double cost = static_cast<double>((candidate + 4) * clusters) / byte_products_per_ns + encoding_cost +
                        static_cast<double>(survivors) / static_cast<double>(queries) * gather_cost;
    if (!(cost < best_cost)) continue;
    best_cost = cost;
    length = candidate;
  }
  return length;
}

}  // namespace lookalike
