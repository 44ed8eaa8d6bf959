#include "index/hnsw/search.hpp"

#include <algorithm>

namespace lookalike {

HnswSearch::HnswSearch(const HnswTarget& target, const PreparedQueries& queries, std::size_t query, std::size_t k,
                       std::size_t ef, Row hidden, HnswScratch& scratch)
    : target_(target), k_(k), scratch_(scratch) {
  const MetricSpace& space = target.space;
  const double square = space.query_squared_norm(queries.query(query), queries.element());
  rerank_scorer_ = rerank_scorer(space, queries.query(query), queries.element(), square);
  const HnswGraph& graph = target.graph;
  Scorer scorer = rerank_scorer_.fast;
  if (graph.codes) {
    scratch.query.resize(queries.dim());
    scratch.point.resize(space.point_dim());
    queries.as_floats(query, scratch.query.data());
    space.write_query_point(scratch.query.data(), square, scratch.point.data());
    scorer = graph.codes->query_scorer(scratch.point.data(), scratch.scorer_scratch);
    slope_ = slope_of(space, square);
  }
  scratch.beam_search.begin(scorer, graph.neighbors, graph.entries, std::min(ef, graph.neighbors.nodes()), hidden);
}

std::span<const Neighbor> HnswSearch::finish() {
  std::span<Neighbor> found = scratch_.beam_search.finish();
  if (target_.admitted || target_.end < target_.graph.neighbors.nodes()) {
    const auto last = std::remove_if(found.begin(), found.end(), [&](const Neighbor& neighbor) {
      return neighbor.row >= target_.end || (target_.admitted && !target_.admitted->test(neighbor.row));
    });
    found = found.first(static_cast<std::size_t>(last - found.begin()));
  }
  // The query is too short for float distances.
  if (!rerank_scorer_.is_measurable) return {};
  return scratch_.reranker.rerank(rerank_scorer_, found, k_, slope_);
}

std::span<const Neighbor> search_one(const HnswTarget& target, const PreparedQueries& queries, std::size_t query,
                                     std::size_t k, std::size_t ef, Row hidden, HnswScratch& scratch) {
  HnswSearch search(target, queries, query, k, ef, hidden, scratch);
  while (search.advance()) {
  }
  return search.finish();
}

}  // namespace lookalike
