// One query, prepared for reranking by the stored vectors: exactly in double precision, or twice as fast in floats.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "distance/scorer.hpp"
#include "kernels/precise.hpp"

namespace lookalike {

/// Borrows the rows and the query.
struct RerankScorer {
  PreciseScorer exact;
  Scorer fast;
  bool is_measurable = true;                      // false if the query is too short for floats
  double relative_error = 0, absolute_error = 0;  // error bounds of `fast`

  /// A lower bound on the exact distance, given the distance by `fast`.
  double lower_bound(float estimated) const noexcept {
    return estimated - (relative_error * std::fabs(estimated) + absolute_error);
  }
};

/// `square`: the query's squared norm, from MetricSpace::query_squared_norm.
RerankScorer rerank_scorer(const MetricSpace& space, const std::byte* query, Element element, double square);

}  // namespace lookalike
