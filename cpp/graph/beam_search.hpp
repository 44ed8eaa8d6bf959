// The way through a graph from an entry to the nodes near a query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/scorer.hpp"
#include "graph/adjacency.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

struct SearchCounters {
  std::uint64_t hops = 0, distances = 0;
};

/// Greedy best-first search with a bounded pool [Malkov and Yashunin 2018, Algorithm 2]. One object a thread, used
/// again and again: nothing is allocated once it has grown.
class BeamSearch {
 public:
  /// The `width` nodes nearest the query that the walk meets, of many equally far the latest; nearest first, ties by
  /// row; never `hidden`. Valid until the next call.
  std::span<Neighbor> search(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries,
                             std::size_t width, Row hidden = no_row);

  /// The same in steps, so that others can work while this one waits for memory: `begin`, `advance` until it says that
  /// there is nothing left to do, `finish`. The scorer's query and the graph stay where they are meanwhile.
  void begin(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries, std::size_t width,
             Row hidden = no_row);
  bool advance();
  std::span<Neighbor> finish();

  SearchCounters counters;

 private:
  /// A node being expanded: where in met_ its unseen neighbours are.
  struct Step {
    bool is_taken = false;
    std::size_t first = 0, count = 0;
  };
  std::size_t keep_unseen(std::span<const Row> ids, Row* out);
  void enter(std::span<const Row> entries);
  Step next_step();
  void measure(const Step& step);
  void take(const Row* rows, std::size_t count);

  Scorer scorer_;
  const Adjacency* graph_ = nullptr;
  Step step_;
  std::vector<std::uint64_t> seen_;        // one bit a node
  std::vector<Row> met_;                   // the nodes whose bit is set
  std::size_t met_count_ = 0, asked_ = 0;  // memory was asked for the first asked_ of them
  std::vector<std::int64_t> pool_;         // keys, ascending
  std::size_t width_ = 0, cursor_ = 0;
  std::vector<float> distances_;
  std::vector<std::uint32_t> positions_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
