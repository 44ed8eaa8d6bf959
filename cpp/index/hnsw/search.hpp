// One query walked for through a graph, and what it finds measured by the kept vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/scorer.hpp"
#include "exact/parts.hpp"
#include "graph/beam_search.hpp"
#include "index/approx/kept_scorer.hpp"
#include "index/approx/rerank.hpp"
#include "index/hnsw/graph.hpp"
#include "topk/neighbor.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// What searches took: nodes expanded, codes measured, kept vectors measured, bytes of all of these.
struct SearchCosts {
  std::uint64_t hops = 0, distances = 0, reranked = 0, bytes = 0;
};

/// What one thread needs to search, used again and again.
struct HnswWorker {
  BeamSearch walk;
  ScorerScratch scratch;
  std::vector<float> query, point;
  Rerank rerank;
};

/// What is searched, and who may be found.
struct HnswTarget {
  const HnswGraph& graph;
  MetricSpace space;
  const RowFilter* admitted;  // null: all rows
  Row end;                    // rows from here on are still being linked
};

/// One search, in steps, so that a thread can go on with another one while this one waits for memory.
class HnswSearch {
 public:
  /// For the k nearest admitted rows of a walk `width` wide. `hidden` is neither found nor walked over. All are
  /// borrowed, the worker until `finish`.
  HnswSearch(const HnswTarget& target, const PreparedQueries& queries, std::size_t query, std::size_t k,
             std::size_t width, Row hidden, HnswWorker& worker);
  /// False when there is nothing left to walk.
  bool advance() { return worker_.walk.advance(); }
  /// Nearest first, ties by row; fewer than k where the walk found fewer, none where floats cannot measure the
  /// query. Valid until the worker's next search.
  std::span<const Neighbor> finish();

 private:
  const HnswTarget& target_;
  std::size_t k_;
  HnswWorker& worker_;
  KeptScorer kept_;
  double slope_ = 1;  // of kept distances over those walked by
};

/// The whole of one.
std::span<const Neighbor> hnsw_search(const HnswTarget& target, const PreparedQueries& queries, std::size_t query,
                                      std::size_t k, std::size_t width, Row hidden, HnswWorker& worker);

}  // namespace lookalike
