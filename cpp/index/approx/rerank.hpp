// Reranking: replaces distances estimated from codes by exact distances to the stored vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/approx/rerank_scorer.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

// The metric's distance is slope * (squared L2 distance between points, see MetricSpace) + intercept.

/// `square`: the squared norm of the query.
double slope_of(const MetricSpace& space, double square);

/// `point`: the query as a point.
double intercept_of(const MetricSpace& space, std::span<const float> point, double slope);

/// Returns `found`, or nothing if any distance has overflowed.
std::span<const Neighbor> reject_overflow(std::span<const Neighbor> found);

/// Belongs to one thread, which reuses its buffers.
class Reranker {
 public:
  /// The k nearest of `coarse` by exact distance, ties by row. `coarse` is sorted by estimated distance; reranking
  /// stops when the remaining rows are unlikely to be among the k nearest. Returns nothing if distances overflow
  /// floats. Valid until the next call.
  std::span<const Neighbor> rerank(const RerankScorer& scorer, std::span<const Neighbor> coarse, std::size_t k,
                                   double slope);

  std::uint64_t measured = 0;  // rows reranked so far, over all calls

 private:
  static constexpr std::size_t batch = 8;

  /// Measures rows, inserts them into `nearest_` and writes their distances to `out`. `prefetch_count`: see
  /// PreciseScorer.
  void measure(const PreciseScorer& exact, const Row* rows, std::size_t count, std::size_t prefetch_count, double* out);

  std::size_t k_ = 0;

  std::vector<Row> rows_;
  std::vector<PreciseNeighbor> nearest_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
