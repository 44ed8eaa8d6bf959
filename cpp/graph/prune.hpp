// Which of a node's candidates become its neighbours.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "distance/scorer.hpp"
#include "graph/node_metric.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// Keeps a candidate unless one already kept is nearer to it than the node is [Malkov and Yashunin 2018, Algorithm 4].
/// Places left over go to those that are ruled out by little (see NodeMetric::tolerance), and so a few per cent fewer
/// steps find as much. Robust pruning [Subramanya et al. 2019] keeps these in the order of their distance: then the
/// nearest fill all places in data without structure, and rows that lie far out are nobody's neighbour (of 12,000
/// normally distributed rows of 128 dimensions 8 % did not find themselves, so .7 %). One object a thread.
class Pruner {
 public:
  /// At most `degree` of `candidates`, without the node itself. The first `copies` of them, fewer than `degree`, equal
  /// the node: all are kept, and rule out nobody. The others come nearest first; where few of them are kept, the
  /// nearest of those ruled out fill a quarter of the places. Valid until the next call.
  std::span<const Row> prune(const NodeMetric& metric, std::span<const Neighbor> candidates, std::size_t copies,
                             std::size_t degree);

 private:
  std::vector<Row> kept_, left_, dropped_;
  std::vector<char> are_ruled_out_;  // those left that are tolerated only
  std::vector<float> distances_, between_;
  ScorerScratch scorer_scratch_;
};

}  // namespace lookalike
