// What codes found, measured by the kept vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/approx/kept_scorer.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// How fast distances between kept vectors grow with those between points (see MetricSpace), from a query whose
/// length has this square.
double slope_of(const MetricSpace& space, double square);

/// And where they begin: what is left of them where points coincide. `point`: the query as one.
double origin_of(const MetricSpace& space, std::span<const float> point, double slope);

/// The same neighbours, or none where a query is so long that distances overflow.
std::span<const Neighbor> finite(std::span<const Neighbor> found);

/// Used again and again by one thread.
class Rerank {
 public:
  /// The k nearest of `coarse`, exactly, nearest first, ties by row: `coarse` is measured in its order, nearest by
  /// codes first, until the rest can hardly be among the k nearest. None where distances overflow floats. Valid until
  /// the next call.
  std::span<const Neighbor> nearest(const KeptScorer& kept, std::span<const Neighbor> coarse, std::size_t k,
                                    double slope);

  std::uint64_t measured = 0;  // counts on

 private:
  static constexpr std::size_t together = 8;

  /// Into `nearest_`, and the distances into `out`. `ahead`: as for a PreciseScorer.
  void measure(const PreciseScorer& exact, const Row* rows, std::size_t count, std::size_t ahead, double* out);

  std::size_t k_ = 0;

  std::vector<Row> rows_;
  std::vector<Measured> nearest_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
