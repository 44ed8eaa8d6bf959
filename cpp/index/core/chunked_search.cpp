#include "index/core/chunked_search.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "exact/exact_search.hpp"

namespace lookalike {
namespace {

bool is_other_kind(IdKind before, IdKind now) { return before != IdKind::none && now != IdKind::none && before != now; }

}  // namespace

void search_in_chunks(const VectorsView& queries, std::size_t k, std::size_t chunk_size, Answer& answer,
                      function_ref<void(const VectorsView&, Answer&)> search) {
  for (std::size_t first = 0; first == 0 || first < queries.count;) {
    const std::size_t count = std::min(chunk_size, queries.count - first);
    Answer chunk = {answer.ids.subspan(first * k, count * k), answer.distances.subspan(first * k, count * k),
                    IdKind::none, std::move(answer.names)};
    search(queries.slice(first, count), chunk);
    const bool restarts = is_other_kind(answer.kind, chunk.kind);
    answer.names = restarts ? Strings() : std::move(chunk.names);
    if (restarts || chunk.kind != IdKind::none) answer.kind = restarts ? IdKind::none : chunk.kind;
    first = restarts ? 0 : first + count;
    if (count == 0) return;
  }
}

RangeAnswer exact_range(const Records& records, const VectorsView& queries, float radius, const Where& where,
                        unsigned threads) {
  constexpr std::size_t max_chunk_size = 256;  // each query reads all rows
  const std::size_t chunk_size = std::holds_alternative<std::monostate>(where) ? max_chunk_size : queries.count;
  RangeAnswer answer;
  for (std::size_t first = 0; first == 0 || first < queries.count;) {
    const VectorsView chunk = queries.slice(first, std::min(chunk_size, queries.count - first));
    const Records::ReadLock rows = records.read();
    if (is_other_kind(answer.kind, rows->ids().kind())) {
      answer = {};
      first = 0;
      continue;
    }
    if (chunk.count > 0) rows->require_shape(chunk, "queries");
    const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
    std::vector<std::vector<Neighbor>> found(chunk.count);
    if (chunk.count > 0 && rows->live_count() > 0) {
      found = exact_range(rows->target(admitted), chunk, radius, threads);
    }
    append(found, rows->ids(), answer);
    first += chunk.count;
    if (chunk.count == 0) break;
  }
  return answer;
}

}  // namespace lookalike
