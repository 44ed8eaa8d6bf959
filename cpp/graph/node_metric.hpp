// What a graph is built over.
#pragma once

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/scorer.hpp"

namespace lookalike {

/// How to measure from a row. The function is borrowed.
struct NodeMetric {
  function_ref<Scorer(Row, ScorerScratch&)> from;
  /// Of distances, at least 1: a candidate is ruled out for good if a kept one is nearer to it by more than this
  /// factor.
  float tolerance = 1;
};

}  // namespace lookalike
