// Which of a node's candidates become its neighbours.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "codes/scorer.hpp"
#include "graph/space.hpp"
#include "select/neighbor.hpp"

namespace lookalike {

/// Keeps a candidate unless one already kept is nearer to it than the node is [Malkov and Yashunin 2018, Algorithm 4].
/// With more tolerance (robust pruning [Subramanya et al. 2019], alpha = 1.05) a few per cent fewer steps find as much;
/// but in data without structure nearly all candidates are then kept, the nearest fill all places, and rows that lie
/// far out are nobody's neighbour: of 12,000 normally distributed rows of 128 dimensions 8 % did not find themselves,
/// without it .5 %. One object a thread.
class Pruner {
 public:
  /// At most `degree` of `candidates`, without the node itself. The first `copies` of them, fewer than `degree`, equal
  /// the node: all are kept, and rule out nobody. The others come nearest first; where few of them are kept, the
  /// nearest of those ruled out fill a quarter of the places. Valid until the next call.
  std::span<const Row> prune(const Space& space, std::span<const Neighbor> candidates, std::size_t copies,
                             std::size_t degree);

 private:
  std::vector<Row> kept_, left_, dropped_;
  std::vector<float> distances_, between_;
  ScorerSpace scorer_space_;
};

}  // namespace lookalike
