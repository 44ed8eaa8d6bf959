#include "index/flat/flat.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <variant>
#include <vector>

#include "base/errors.hpp"
#include "exact/exact_search.hpp"
#include "index/core/chunked_search.hpp"

namespace lookalike {
namespace {

constexpr std::size_t most_queries_together = 2048;  // queries between two writers: as many as are multiplied at a time

}  // namespace

void Flat::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing rows = records_.write();
  if (vectors.count > 0) commit(rows, rows.addition(vectors, ids, threads));
}

void Flat::add(const VectorsView& vectors, unsigned threads) {
  Records::Writing rows = records_.write();
  if (vectors.count > 0) commit(rows, rows.addition(vectors, threads));
}

void Flat::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing rows = records_.write();
  if (vectors.count > 0) commit(rows, rows.upsertion(vectors, ids, threads));
}

void Flat::commit(Records::Writing& writing, Change change) {
  writing.exclusively([&](Rows& rows) {
    rows.commit(change);
    sketch_.forget();
  });
}

std::size_t Flat::remove(const IdsView& ids) {
  Records::Writing writing = records_.write();
  const std::vector<Row> known = writing->known(ids);
  const std::size_t removed = writing.exclusively([&](Rows& rows) { return rows.remove(known); });
  if (writing->removed_share() > Rows::most_removed) {
    try {
      compact(writing);
    } catch (const std::bad_alloc&) {  // what was removed is removed; the memory comes back another time
    }
  }
  return removed;
}

void Flat::reset() {
  Records::Writing writing = records_.write();
  if (writing->live_count() > 0) return;
  compact(writing);
  writing.exclusively([](Rows& rows) noexcept { rows.reset(); });
}

void Flat::compact(Records::Writing& writing) {
  Rows kept = writing->picked(writing->ids().live_rows());
  writing.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    sketch_.forget();
  });
}

void Flat::optimize() {
  Records::Writing rows = records_.write();
  compact(rows);
  sketch_.make(rows->target(std::nullopt), 0);  // beside the readers: the rows change only from this seat
}

void Flat::search(const VectorsView& queries, std::size_t k, const Where& where, unsigned threads,
                  Answer& answer) const {
  require_search(queries, k, threads);
  // A filter holds for the rows it was made for, so with one no writer comes in between.
  const std::size_t together = std::holds_alternative<std::monostate>(where) ? most_queries_together : queries.count;
  search_in_chunks(queries, k, together, answer, [&](const VectorsView& part, Answer& found) {
    const Records::Reading rows = records_.read();
    if (part.count > 0) rows->require_shape(part, "queries");
    const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
    const std::size_t reachable = std::min(k, admitted ? admitted->count() : rows->live_count());
    std::vector<Neighbor> neighbors(part.count * reachable);
    if (!neighbors.empty()) {
      ExactTarget target = rows->target(admitted);
      const std::shared_ptr<const RowBounds> sketch = sketch_.find(target, part.count, threads);
      target.sketch = sketch.get();
      exact_search(target, part, reachable, threads, neighbors);
    }
    write_answer(neighbors, reachable, k, rows->ids(), found);
  });
}

RangeAnswer Flat::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_radius(radius);
  require_finite(queries, threads);
  return exact_range(records_, queries, radius, where, threads);
}

void Flat::save(function_ref<void(const FileWriter&)> write) const {
  const Records::Frozen rows = records_.freeze();
  FileWriter file(kind);
  rows->save(file);
  write(file);
}

std::unique_ptr<Flat> Flat::load(const FileReader& file) {
  Rows rows = Rows::load(file);
  if (rows.storage() == Storage::none) throw CorruptFile("the vectors are not kept");
  return std::unique_ptr<Flat>(new Flat(std::move(rows)));
}

}  // namespace lookalike
