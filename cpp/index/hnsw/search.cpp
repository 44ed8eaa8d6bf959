#include "index/hnsw/search.hpp"

#include <algorithm>

namespace lookalike {

HnswSearch::HnswSearch(const HnswTarget& target, const PreparedQueries& queries, std::size_t query, std::size_t k,
                       std::size_t width, Row hidden, HnswWorker& worker)
    : target_(target), k_(k), worker_(worker) {
  const MetricSpace& space = target.space;
  const double square = space.query_square(queries.query(query), queries.element());
  kept_ = kept_scorer(space, queries.query(query), queries.element(), square);
  const HnswGraph& graph = target.graph;
  Scorer scorer = kept_.floats;
  if (graph.codes) {
    worker.query.resize(queries.dim());
    worker.point.resize(space.point_dim());
    queries.as_floats(query, worker.query.data());
    space.write_query_point(worker.query.data(), square, worker.point.data());
    scorer = graph.codes->from_query(worker.point.data(), worker.scratch);
    slope_ = slope_of(space, square);
  }
  worker.walk.begin(scorer, graph.neighbors, graph.entries, std::min(width, graph.neighbors.nodes()), hidden);
}

std::span<const Neighbor> HnswSearch::finish() {
  std::span<Neighbor> walked = worker_.walk.finish();
  if (target_.admitted || target_.end < target_.graph.neighbors.nodes()) {
    const auto last = std::remove_if(walked.begin(), walked.end(), [&](const Neighbor& found) {
      return found.row >= target_.end || (target_.admitted && !target_.admitted->test(found.row));
    });
    walked = walked.first(static_cast<std::size_t>(last - walked.begin()));
  }
  // Floats cannot measure so short a query.
  if (!kept_.is_measurable) return {};
  return worker_.rerank.nearest(kept_, walked, k_, slope_);
}

std::span<const Neighbor> hnsw_search(const HnswTarget& target, const PreparedQueries& queries, std::size_t query,
                                      std::size_t k, std::size_t width, Row hidden, HnswWorker& worker) {
  HnswSearch search(target, queries, query, k, width, hidden, worker);
  while (search.advance()) {
  }
  return search.finish();
}

}  // namespace lookalike
