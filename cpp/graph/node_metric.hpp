// The distances that a graph is built from.
#pragma once

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/scorer.hpp"

namespace lookalike {

struct NodeMetric {
  /// Returns the scorer of distances from a row. Borrowed.
  function_ref<Scorer(Row, ScorerScratch&)> from;
  /// The pruning parameter alpha of Vamana, at least 1: a kept neighbour prunes a candidate for good when alpha times
  /// their distance is at most the candidate's distance from the node.
  float tolerance = 1;
};

}  // namespace lookalike
