// Which of a node's candidates become its neighbours.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "codes/scorer.hpp"
#include "graph/space.hpp"
#include "select/neighbor.hpp"

namespace lookalike {

/// Keeps a candidate unless one already kept is nearer to it, by a factor `alpha`, than the node is: robust pruning
/// [Subramanya et al. 2019, Algorithm 2]. Where few are kept, as among equal vectors, the nearest of the others fill a
/// quarter of the places. One object a thread.
class Pruner {
 public:
  /// At most `degree` of `candidates`, which come nearest first, without the node itself. Valid until the next call.
  std::span<const Row> prune(const Space& space, std::span<const Neighbor> candidates, std::size_t degree, float alpha);

 private:
  std::vector<Row> kept_, left_, dropped_;
  std::vector<float> distances_, between_;
  ScorerSpace scorer_space_;
};

}  // namespace lookalike
