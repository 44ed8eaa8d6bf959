// What a graph is built over.
#pragma once

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "codes/scorer.hpp"

namespace lookalike {

/// How to measure from a row. The function is borrowed.
struct Space {
  function_ref<Scorer(Row, ScorerSpace&)> from;
};

}  // namespace lookalike
