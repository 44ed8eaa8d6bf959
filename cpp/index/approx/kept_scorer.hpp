// One query, made ready to be measured against kept vectors: exactly, and in half the time by floats.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "distance/scorer.hpp"
#include "kernels/precise.hpp"

namespace lookalike {

/// Borrows the rows and the query.
struct KeptScorer {
  PreciseScorer exact;
  Scorer floats;
  bool is_measurable = true;          // by floats: the query is not too short
  double relative = 0, absolute = 0;  // how far from the truth floats may be

  /// What the truth behind a float is not below.
  double least(float told) const noexcept { return told - (relative * std::fabs(told) + absolute); }
};

/// `square`: the space's query_square.
KeptScorer kept_scorer(const MetricSpace& space, const std::byte* query, Element element, double square);

}  // namespace lookalike
