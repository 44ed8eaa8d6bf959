// Pruning: which of a node's candidates become its neighbours.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "distance/scorer.hpp"
#include "graph/node_metric.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// First pass: keeps a candidate unless a kept one is nearer to it than the node is [Malkov and Yashunin 2018,
/// Algorithm 4]. Second pass: fills free slots with candidates that were pruned within the tolerance (see NodeMetric).
/// The second pass saves a few per cent of the hops at equal recall.
///
/// Vamana's robust pruning [Subramanya et al. 2019] takes both kinds in one pass by distance. In data without
/// structure the nearest candidates then fill all slots, and outliers get no incoming edges: of 12,000 normally
/// distributed rows of 128 dimensions 8 % did not find themselves; with two passes 0.7 % did not.
///
/// Use one object per thread.
class Pruner {
 public:
  /// Returns at most `degree` of `candidates`, which do not include the node itself. The first `copies` of them, fewer
  /// than `degree`, equal the node: all are kept, and none prunes another candidate. The others must be sorted, nearest
  /// first. If fewer than a quarter of the slots would be filled, the nearest pruned candidates fill them up to a
  /// quarter. The result is valid until the next call.
  std::span<const Row> prune(const NodeMetric& metric, std::span<const Neighbor> candidates, std::size_t copies,
                             std::size_t degree);

 private:
  std::vector<Row> kept_, pruned_;
  // Per remaining candidate: its row, its distance from the node, and whether it is pruned within the tolerance.
  std::vector<Row> remaining_;
  std::vector<float> distances_;
  std::vector<char> is_tolerated_;
  std::vector<float> distances_from_kept_;
  ScorerScratch scorer_scratch_;
};

}  // namespace lookalike
