// Beam search: best-first traversal of a graph from its entry points towards a query.
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

/// Nodes expanded and distances computed.
struct SearchCounters {
  std::uint64_t hops = 0, distances = 0;
};

/// Greedy best-first search with a candidate pool of `ef` nodes [Malkov and Yashunin 2018, Algorithm 2]. Use one object
/// per thread and reuse it: once its buffers have grown, it allocates nothing.
class BeamSearch {
 public:
  /// Returns the `ef` nearest of the visited nodes, nearest first, ties by row. If ties exceed the pool, it keeps those
  /// with the highest rows. `hidden` is neither visited nor returned. The result is valid until the next call.
  std::span<Neighbor> search(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries, std::size_t ef,
                             Row hidden = no_row);

  /// The same in steps, so that a thread can interleave two searches and hide their cache misses: `begin`, then
  /// `advance` until it returns false, then `finish`. The scorer's query and the graph must stay in place meanwhile.
  void begin(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries, std::size_t ef,
             Row hidden = no_row);
  bool advance();
  std::span<Neighbor> finish();

  SearchCounters counters;

 private:
  /// An expanded node: the range of visited_ that holds its neighbours that were not visited before.
  struct Step {
    bool exists = false;
    std::size_t first = 0, count = 0;
  };
  /// Marks `ids` as visited and writes those that were not visited before to `fresh`; returns how many.
  std::size_t mark_visited(std::span<const Row> ids, Row* fresh);
  void insert_nearest_entry(std::span<const Row> entries);
  Step expand_next();
  void measure(const Step& step);
  void insert(const Row* rows, std::size_t count);

  Scorer scorer_;
  const Adjacency* graph_ = nullptr;
  Step step_;
  std::vector<std::uint64_t> visited_bits_;  // one bit per node
  std::vector<Row> visited_;                 // the nodes whose bit is set, in visiting order
  std::size_t visited_count_ = 0;
  std::size_t prefetched_ = 0;      // the first of visited_ whose rows were prefetched
  std::vector<std::int64_t> pool_;  // the candidate pool: keys, ascending
  std::size_t ef_ = 0;
  std::size_t cursor_ = 0;  // all keys before it are expanded
  std::vector<float> distances_;
  std::vector<std::uint32_t> positions_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
