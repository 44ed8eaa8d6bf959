// Searching an HNSW index: by a walk, or exactly where that is cheaper.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.hpp"
#include "exact/exact_search.hpp"
#include "index/core/chunked_search.hpp"
#include "index/hnsw/hnsw.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Rough costs in nanoseconds, which need only be right to a factor of two.
constexpr double step_of_a_walk = 400;
constexpr double measured_row = 10, byte_of_a_row = 0.08;

double cost_of_walk(std::size_t width) { return step_of_a_walk * static_cast<double>(width); }
double cost_of_scan(std::size_t rows, std::size_t bytes) {
  return static_cast<double>(rows) * (measured_row + byte_of_a_row * static_cast<double>(bytes));
}

}  // namespace

std::size_t Hnsw::width_for(const Rows& rows, std::size_t k, std::size_t ef) const {
  if (ef > 0) return std::max(ef, k);
  const std::size_t measured = tuning_.default_effort(rows.live_count(), usual_ef, 0.5);
  const std::size_t usual = measured ? measured : usual_ef;
  if (usual >= exact_effort) return exact_effort;
  // For more neighbours half as much again as there are, and as many times more as the ten nearest needed.
  return std::max({usual, (k + k / 2) * std::max(usual, usual_ef) / usual_ef, k});
}

void Hnsw::search(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
                  Answer& answer) const {
  require_search(queries, k, threads);
  // A long batch stops now and then for a writer, and for all who wait behind it. A filter holds
  // for the rows it was made for, so with one nobody comes in between.
  constexpr std::size_t most_together = 1024;
  const std::size_t together = std::holds_alternative<std::monostate>(where) ? most_together : queries.count;
  search_in_chunks(queries, k, together, answer,
                   [&](const VectorsView& part, Answer& found) { search_at_once(part, k, ef, where, threads, found); });
}

void Hnsw::search_at_once(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where,
                          unsigned threads, Answer& answer) const {
  const Records::Reading rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
  const std::size_t reachable = std::min(k, admitted ? admitted->count() : rows->live_count());
  std::vector<Neighbor> neighbors(queries.count * reachable);
  if (!neighbors.empty()) find(*rows, queries, reachable, width_for(*rows, k, ef), admitted, threads, neighbors);
  write_answer(neighbors, reachable, k, rows->ids(), answer);
}

// Of the rows that a walk finds, removed ones, ones that a filter rejects and ones that are just being added do not
// pass, so the walk is wider by as much; under a filter by a fifth more, because rows that pass may lie far apart.
// Nullopt where measuring all that pass is cheaper.
std::optional<std::size_t> Hnsw::walk_width(const Rows& rows, std::size_t passing, std::size_t width) const {
  if (graph_.is_empty()) return std::nullopt;
  const std::size_t coming = rows.count() - graph_.linked;
  const double left = static_cast<double>(passing > coming ? passing - coming : 1);
  const double widening = static_cast<double>(rows.count()) / left;
  const bool is_filtered = passing < rows.live_count() && widening > 1.05;
  const double wanted = std::ceil(static_cast<double>(width) * (is_filtered ? 1.2 * widening : widening));
  if (wanted >= static_cast<double>(passing)) return std::nullopt;
  const auto walk = static_cast<std::size_t>(wanted);
  if (cost_of_walk(walk) >= cost_of_scan(passing, rows.store().view().stride)) return std::nullopt;
  return walk;
}

void Hnsw::find(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t width,
                const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const RowFilter* const filter = admitted ? &*admitted : rows.ids().live();
  const std::size_t passing = admitted ? admitted->count() : rows.live_count();
  const std::optional<std::size_t> walk = walk_width(rows, passing, width);
  if (!walk) return exact_search(rows.target(admitted), queries, k, threads, out);

  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const HnswTarget target = {graph_, graph_.space(rows), filter, static_cast<Row>(graph_.linked)};
  const auto put = [&](std::size_t q, std::span<const Neighbor> found) {
    const std::span<Neighbor> of_query = out.subspan(q * k, k);
    if (found.size() == k) {
      std::copy(found.begin(), found.end(), of_query.begin());
    } else {  // the nearest ones that pass lie beyond the walk
      exact_search(rows.target(admitted), queries.slice(q, 1), k, 1, of_query);
    }
  };
  // Two at a time: each walks on while the other one waits for memory.
  constexpr std::size_t together = 8;
  parallel_for((queries.count + together - 1) / together, threads, [&](std::size_t task, unsigned) {
    const auto one = workers_.take();
    const std::size_t end = std::min(queries.count, (task + 1) * together);
    for (std::size_t q = task * together; q < end; q += 2) {
      HnswSearch first(target, prepared, q, k, *walk, no_row, *one);
      if (q + 1 == end) {
        while (first.advance()) {
        }
        put(q, first.finish());
        continue;
      }
      const auto other = workers_.take();
      HnswSearch second(target, prepared, q + 1, k, *walk, no_row, *other);
      for (bool more = true, others = true; more || others;) {
        more = more && first.advance();
        others = others && second.advance();
      }
      put(q, first.finish());
      put(q + 1, second.finish());
    }
  });
}

bool Hnsw::search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                         std::size_t effort, unsigned threads,
                         function_ref<void(std::size_t, std::span<const Neighbor>)> put) const {
  const std::optional<std::size_t> walk = walk_width(rows, rows.live_count(), width_for(rows, k, effort));
  if (!walk) return false;
  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const HnswTarget target = {graph_, graph_.space(rows), rows.ids().live(), static_cast<Row>(graph_.linked)};
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto worker = workers_.take();
    put(q, hnsw_search(target, prepared, q, k, *walk, hidden[q], *worker));
  });
  return true;
}

EvaluatedIndex Hnsw::evaluated() const {
  return {&records_, &version_,
          [this](const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                 std::size_t effort, unsigned threads, function_ref<void(std::size_t, std::span<const Neighbor>)> put) {
            return search_hidden(rows, queries, hidden, k, effort, threads, put);
          }};
}

RangeAnswer Hnsw::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_radius(radius);
  require_finite(queries, threads);
  return exact_range(records_, queries, radius, where, threads);
}

SearchCosts Hnsw::costs(const VectorsView& queries, std::size_t k, std::size_t ef, unsigned threads) const {
  require_search(queries, k, threads);
  const Records::Reading rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  SearchCosts costs;
  if (graph_.is_empty()) return costs;
  const PreparedQueries prepared(queries, rows->store().element(), rows->metric(), threads);
  const HnswTarget target = {graph_, graph_.space(*rows), rows->ids().live(), static_cast<Row>(graph_.linked)};
  std::atomic<std::uint64_t> hops = 0, distances = 0, reranked = 0;
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto worker = workers_.take();
    worker->walk.counters = {};
    worker->rerank.measured = 0;
    hnsw_search(target, prepared, q, k, width_for(*rows, k, ef), no_row, *worker);
    hops.fetch_add(worker->walk.counters.hops, std::memory_order_relaxed);
    distances.fetch_add(worker->walk.counters.distances, std::memory_order_relaxed);
    reranked.fetch_add(worker->rerank.measured, std::memory_order_relaxed);
  });
  costs.hops = hops;
  costs.distances = distances;
  costs.reranked = reranked;
  const std::size_t kept = rows->store().view().stride;
  const std::size_t walked = graph_.codes ? graph_.codes->encoder().stride() : kept;
  costs.bytes = costs.hops * graph_.neighbors.degree() * sizeof(Row) + costs.distances * walked + costs.reranked * kept;
  return costs;
}

}  // namespace lookalike
