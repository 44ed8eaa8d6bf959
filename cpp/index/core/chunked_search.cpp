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

void search_in_chunks(const VectorsView& queries, std::size_t k, std::size_t together, Answer& answer,
                      function_ref<void(const VectorsView&, Answer&)> search) {
  for (std::size_t first = 0; first == 0 || first < queries.count;) {
    const std::size_t count = std::min(together, queries.count - first);
    Answer part = {answer.ids.subspan(first * k, count * k), answer.distances.subspan(first * k, count * k),
                   IdKind::none, std::move(answer.names)};
    search(queries.slice(first, count), part);
    const bool again = is_other_kind(answer.kind, part.kind);
    answer.names = again ? Strings() : std::move(part.names);
    if (again || part.kind != IdKind::none) answer.kind = again ? IdKind::none : part.kind;
    first = again ? 0 : first + count;
    if (count == 0) return;
  }
}

RangeAnswer exact_range(const Records& records, const VectorsView& queries, float radius, const Where& where,
                        unsigned threads) {
  constexpr std::size_t most_together = 256;  // each of them reads all rows
  const std::size_t together = std::holds_alternative<std::monostate>(where) ? most_together : queries.count;
  RangeAnswer answer;
  for (std::size_t first = 0; first == 0 || first < queries.count;) {
    const VectorsView part = queries.slice(first, std::min(together, queries.count - first));
    const Records::Reading rows = records.read();
    if (is_other_kind(answer.kind, rows->ids().kind())) {
      answer = {};
      first = 0;
      continue;
    }
    if (part.count > 0) rows->require_shape(part, "queries");
    const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
    std::vector<std::vector<Neighbor>> found(part.count);
    if (part.count > 0 && rows->live_count() > 0) {
      found = exact_range(rows->target(admitted), part, radius, threads);
    }
    append(found, rows->ids(), answer);
    first += part.count;
    if (part.count == 0) break;
  }
  return answer;
}

}  // namespace lookalike
