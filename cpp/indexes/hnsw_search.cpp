#include "indexes/hnsw_search.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lookalike {
namespace {

bool is_nearer(const Neighbor& a, const Neighbor& b) {
  return std::tie(a.distance, a.row) < std::tie(b.distance, b.row);
}

/// How far codes are from the truth, learned from what was measured so far: the truth is slope * code + offset, give
/// or take a deviation.
class CodeError {
 public:
  explicit CodeError(double slope) : slope_(slope) {}
  void see(float code, float truth) {
    const double error = truth - slope_ * code, before = error - mean_;
    mean_ += before / ++count_;
    squares_ += before * (error - mean_);
  }
  /// What the truth behind a code hardly ever goes below.
  float least(float code) const {
    constexpr double deviations = 4;
    return static_cast<float>(slope_ * code + mean_ - deviations * std::sqrt(squares_ / count_));
  }

 private:
  double slope_, mean_ = 0, squares_ = 0;
  double count_ = 0;
};

/// Measures `walked`, nearest by codes first, by the kept vectors, until the rest can hardly be among the k nearest.
void rerank(const Scorer& exact, std::span<const Neighbor> walked, std::size_t k, double slope, HnswWorker& worker) {
  constexpr std::size_t together = 8;
  CodeError error(slope);
  worker.found.clear();
  float limit = std::numeric_limits<float>::infinity();  // the k-th nearest so far
  for (std::size_t i = 0; i < walked.size(); i += together) {
    if (i >= k && i >= 2 * together && error.least(walked[i].distance) > limit) break;
    const std::size_t count = std::min(together, walked.size() - i);
    worker.rows.resize(together);
    worker.distances.resize(together);
    for (std::size_t j = 0; j < count; ++j) worker.rows[j] = walked[i + j].row;
    exact.measure(worker.rows.data(), count, worker.distances.data());
    worker.reranked += count;
    for (std::size_t j = 0; j < count; ++j) {
      error.see(walked[i + j].distance, worker.distances[j]);
      worker.found.push_back({worker.rows[j], worker.distances[j]});
    }
    if (worker.found.size() >= k) {
      std::nth_element(worker.found.begin(), worker.found.begin() + static_cast<std::ptrdiff_t>(k - 1),
                       worker.found.end(), is_nearer);
      limit = worker.found[k - 1].distance;
    }
  }
}

/// The same, or nothing where a query is so long that distances overflow.
std::span<const Neighbor> finite(std::span<const Neighbor> found) {
  const auto is_finite = [](const Neighbor& neighbor) { return std::isfinite(neighbor.distance); };
  return std::all_of(found.begin(), found.end(), is_finite) ? found : std::span<const Neighbor>();
}

}  // namespace

HnswSearch::HnswSearch(const HnswTarget& target, const PreparedQueries& queries, std::size_t query, std::size_t k,
                       std::size_t width, Row hidden, HnswWorker& worker)
    : target_(target),
      k_(k),
      worker_(worker),
      exact_(target.plane.from_query(queries.query(query), queries.element(), queries.dim())) {
  const Plane& plane = target.plane;
  const HnswGraph& graph = target.graph;
  Scorer scorer = exact_;
  if (graph.codes) {
    worker.query.resize(queries.dim());
    worker.point.resize(plane.point_dim());
    queries.as_floats(query, worker.query.data());
    plane.write_query_point(worker.query.data(), worker.point.data());
    scorer = graph.codes->from_query(worker.point.data(), worker.space);
    if (plane.metric == Metric::cosine) slope_ = 0.5;
    if (plane.metric == Metric::ip) {
      double square = 0;
      for (const float x : worker.query) square += double{x} * x;
      slope_ = plane.length > 0 ? std::sqrt(square) / (2 * double{plane.length}) : 0;
    }
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
  if (exact_.scale * shortest_measurable > 1) return {};
  if (!target_.graph.codes) return finite(walked.first(std::min(k_, walked.size())));
  rerank(exact_, walked, k_, slope_, worker_);
  std::vector<Neighbor>& found = worker_.found;
  const std::size_t count = std::min(k_, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(), is_nearer);
  return finite({found.data(), count});
}

std::span<const Neighbor> hnsw_search(const HnswTarget& target, const PreparedQueries& queries, std::size_t query,
                                      std::size_t k, std::size_t width, Row hidden, HnswWorker& worker) {
  HnswSearch search(target, queries, query, k, width, hidden, worker);
  while (search.advance()) {
  }
  return search.finish();
}

}  // namespace lookalike
