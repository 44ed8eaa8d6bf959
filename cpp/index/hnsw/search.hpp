// The search of one query: beam search over the graph, then reranking by the kept vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/scorer.hpp"
#include "exact/parts.hpp"
#include "graph/beam_search.hpp"
#include "index/approx/rerank.hpp"
#include "index/approx/rerank_scorer.hpp"
#include "index/hnsw/graph.hpp"
#include "topk/neighbor.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// Costs of searches: nodes expanded, distances computed in the graph, vectors reranked, and bytes read for all of
/// these.
struct SearchCosts {
  std::uint64_t hops = 0, distances = 0, reranked = 0, bytes = 0;
};

/// Buffers that a thread reuses for its searches.
struct HnswScratch {
  BeamSearch beam_search;
  ScorerScratch scorer_scratch;
  std::vector<float> query, point;
  Reranker reranker;
};

/// The graph to search and the rows that may be found.
struct HnswTarget {
  const HnswGraph& graph;
  MetricSpace space;
  const RowFilter* admitted;  // null: all rows
  Row end;                    // rows from here on are not linked yet
};

/// One search in steps, so that a thread can interleave two of them and hide their cache misses.
class HnswSearch {
 public:
  /// Starts a search for the k nearest admitted rows among the `ef` nearest that the beam search visits. `hidden` is
  /// neither visited nor found. Borrows its arguments; the scratch must not be used otherwise before `finish`.
  HnswSearch(const HnswTarget& target, const PreparedQueries& queries, std::size_t query, std::size_t k, std::size_t ef,
             Row hidden, HnswScratch& scratch);
  /// Expands a node. Returns false when the beam search is done.
  bool advance() { return scratch_.beam_search.advance(); }
  /// Returns the neighbours, nearest first, ties by row: fewer than k if the beam search found fewer, none if the query
  /// is too short for float distances. Valid until the next search with this scratch.
  std::span<const Neighbor> finish();

 private:
  const HnswTarget& target_;
  std::size_t k_;
  HnswScratch& scratch_;
  RerankScorer rerank_scorer_;
  double slope_ = 1;  // from distances of codes to distances of kept vectors, see slope_of
};

/// Runs one search from start to end.
std::span<const Neighbor> search_one(const HnswTarget& target, const PreparedQueries& queries, std::size_t query,
                                     std::size_t k, std::size_t ef, Row hidden, HnswScratch& scratch);

}  // namespace lookalike
