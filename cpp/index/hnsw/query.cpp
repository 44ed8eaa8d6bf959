// Searches of an HNSW index: by beam search, or exactly if that is cheaper.
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

// Rough costs in nanoseconds. A factor of two does not matter.
constexpr double ns_per_ef = 400;
constexpr double ns_per_row = 10, ns_per_byte = 0.08;

double beam_search_cost(std::size_t ef) { return ns_per_ef * static_cast<double>(ef); }
double scan_cost(std::size_t rows, std::size_t bytes) {
  return static_cast<double>(rows) * (ns_per_row + ns_per_byte * static_cast<double>(bytes));
}

}  // namespace

std::size_t Hnsw::resolved_ef(const Rows& rows, std::size_t k, std::size_t ef) const {
  if (ef > 0) return std::max(ef, k);
  const std::size_t measured_ef = tuning_.default_effort(rows.live_count(), default_ef, 0.5);
  const std::size_t base_ef = measured_ef ? measured_ef : default_ef;
  if (base_ef >= exact_effort) return exact_effort;
  // base_ef is tuned for recall@10. A larger k needs 1.5 k, scaled as base_ef is above default_ef.
  return std::max({base_ef, (k + k / 2) * std::max(base_ef, default_ef) / default_ef, k});
}

void Hnsw::search(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
                  Answer& answer) const {
  require_search(queries, k, threads);
  // Long batches release the read lock between chunks so that writers are not starved. A filter refers to the present
  // rows, so a filtered search never releases it.
  constexpr std::size_t max_chunk_size = 1024;
  const std::size_t chunk_size = std::holds_alternative<std::monostate>(where) ? max_chunk_size : queries.count;
  search_in_chunks(queries, k, chunk_size, answer, [&](const VectorsView& chunk, Answer& chunk_answer) {
    search_chunk(chunk, k, ef, where, threads, chunk_answer);
  });
}

void Hnsw::search_chunk(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
                        Answer& answer) const {
  const Records::ReadLock rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
  const std::size_t found_k = std::min(k, admitted ? admitted->count() : rows->live_count());
  std::vector<Neighbor> neighbors(queries.count * found_k);
  if (!neighbors.empty()) search_rows(*rows, queries, found_k, resolved_ef(*rows, k, ef), admitted, threads, neighbors);
  write_answer(neighbors, found_k, k, rows->ids(), answer);
}

// Tombstones, rows rejected by the filter and rows not linked yet take slots of the candidate pool, so ef grows in
// inverse proportion to the share of other rows. Under a filter it grows by another fifth, because admitted rows may
// lie far apart. Nullopt if measuring all admitted rows is cheaper.
std::optional<std::size_t> Hnsw::widened_ef(const Rows& rows, std::size_t admitted_count, std::size_t ef) const {
  if (graph_.is_empty()) return std::nullopt;
  const std::size_t unlinked = rows.count() - graph_.linked;
  const double admitted_linked = static_cast<double>(admitted_count > unlinked ? admitted_count - unlinked : 1);
  const double widening = static_cast<double>(rows.count()) / admitted_linked;
  const bool is_filtered = admitted_count < rows.live_count() && widening > 1.05;
  const double widened = std::ceil(static_cast<double>(ef) * (is_filtered ? 1.2 * widening : widening));
  if (widened >= static_cast<double>(admitted_count)) return std::nullopt;
  const auto search_ef = static_cast<std::size_t>(widened);
  if (beam_search_cost(search_ef) >= scan_cost(admitted_count, rows.store().view().stride)) return std::nullopt;
  return search_ef;
}

void Hnsw::search_rows(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t ef,
                       const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const RowFilter* const filter = admitted ? &*admitted : rows.ids().live();
  const std::size_t admitted_count = admitted ? admitted->count() : rows.live_count();
  const std::optional<std::size_t> search_ef = widened_ef(rows, admitted_count, ef);
  if (!search_ef) return exact_search(rows.target(admitted), queries, k, threads, out);

  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const HnswTarget target = {graph_, graph_.space(rows), filter, static_cast<Row>(graph_.linked)};
  const auto put = [&](std::size_t q, std::span<const Neighbor> found) {
    const std::span<Neighbor> query_out = out.subspan(q * k, k);
    if (found.size() == k) {
      std::copy(found.begin(), found.end(), query_out.begin());
    } else {  // the beam search found too few admitted rows
      exact_search(rows.target(admitted), queries.slice(q, 1), k, 1, query_out);
    }
  };
  // Interleaves two searches per thread, so that one runs while the other waits for memory.
  constexpr std::size_t queries_per_task = 8;
  parallel_for((queries.count + queries_per_task - 1) / queries_per_task, threads, [&](std::size_t task, unsigned) {
    const auto first_scratch = scratch_pool_.take();
    const std::size_t end = std::min(queries.count, (task + 1) * queries_per_task);
    for (std::size_t q = task * queries_per_task; q < end; q += 2) {
      HnswSearch first(target, prepared, q, k, *search_ef, no_row, *first_scratch);
      if (q + 1 == end) {
        while (first.advance()) {
        }
        put(q, first.finish());
        continue;
      }
      const auto second_scratch = scratch_pool_.take();
      HnswSearch second(target, prepared, q + 1, k, *search_ef, no_row, *second_scratch);
      for (bool first_continues = true, second_continues = true; first_continues || second_continues;) {
        first_continues = first_continues && first.advance();
        second_continues = second_continues && second.advance();
      }
      put(q, first.finish());
      put(q + 1, second.finish());
    }
  });
}

bool Hnsw::search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                         std::size_t effort, unsigned threads,
                         function_ref<void(std::size_t, std::span<const Neighbor>)> put) const {
  const std::optional<std::size_t> search_ef = widened_ef(rows, rows.live_count(), resolved_ef(rows, k, effort));
  if (!search_ef) return false;
  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const HnswTarget target = {graph_, graph_.space(rows), rows.ids().live(), static_cast<Row>(graph_.linked)};
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto scratch = scratch_pool_.take();
    put(q, search_one(target, prepared, q, k, *search_ef, hidden[q], *scratch));
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
  const Records::ReadLock rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  SearchCosts costs;
  if (graph_.is_empty()) return costs;
  const PreparedQueries prepared(queries, rows->store().element(), rows->metric(), threads);
  const HnswTarget target = {graph_, graph_.space(*rows), rows->ids().live(), static_cast<Row>(graph_.linked)};
  std::atomic<std::uint64_t> hops = 0, distances = 0, reranked = 0;
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto scratch = scratch_pool_.take();
    scratch->beam_search.counters = {};
    scratch->reranker.measured = 0;
    search_one(target, prepared, q, k, resolved_ef(*rows, k, ef), no_row, *scratch);
    hops.fetch_add(scratch->beam_search.counters.hops, std::memory_order_relaxed);
    distances.fetch_add(scratch->beam_search.counters.distances, std::memory_order_relaxed);
    reranked.fetch_add(scratch->reranker.measured, std::memory_order_relaxed);
  });
  costs.hops = hops;
  costs.distances = distances;
  costs.reranked = reranked;
  const std::size_t vector_bytes = rows->store().view().stride;
  const std::size_t bytes_per_distance = graph_.codes ? graph_.codes->encoder().stride() : vector_bytes;
  costs.bytes = costs.hops * graph_.neighbors.degree() * sizeof(Row) + costs.distances * bytes_per_distance +
                costs.reranked * vector_bytes;
  return costs;
}

}  // namespace lookalike
