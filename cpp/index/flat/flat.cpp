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

constexpr std::size_t max_batch_queries = 2048;  // per read lock; one run of the tiled search at most

}  // namespace

void Flat::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count > 0) commit(writer, writer.addition(vectors, ids, threads));
}

void Flat::add(const VectorsView& vectors, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count > 0) commit(writer, writer.addition(vectors, threads));
}

void Flat::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count > 0) commit(writer, writer.upsertion(vectors, ids, threads));
}

void Flat::commit(Records::Writer& writer, Change change) {
  writer.exclusively([&](Rows& rows) {
    rows.commit(change);
    bounds_.invalidate();
  });
}

std::size_t Flat::remove(const IdsView& ids) {
  Records::Writer writer = records_.write();
  const std::vector<Row> found = writer->find_or_throw(ids);
  const std::size_t removed = writer.exclusively([&](Rows& rows) { return rows.remove(found); });
  if (writer->removed_share() > Rows::max_removed_share) {
    try {
      compact(writer);
    } catch (const std::bad_alloc&) {  // the rows are removed; a later call frees their memory
    }
  }
  return removed;
}

void Flat::reset() {
  Records::Writer writer = records_.write();
  if (writer->live_count() > 0) return;
  compact(writer);
  writer.exclusively([](Rows& rows) noexcept { rows.reset(); });
}

void Flat::compact(Records::Writer& writer) {
  Rows kept = writer->subset(writer->ids().live_rows());
  writer.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    bounds_.invalidate();
  });
}

void Flat::optimize() {
  Records::Writer writer = records_.write();
  compact(writer);
  bounds_.build(writer->target(std::nullopt), 0);  // readers may run: only this writer can change the rows
}

void Flat::search(const VectorsView& queries, std::size_t k, const Where& where, unsigned threads,
                  Answer& answer) const {
  require_search(queries, k, threads);
  // A filter refers to the present rows, so a filtered search never releases the lock.
  const std::size_t batch_size = std::holds_alternative<std::monostate>(where) ? max_batch_queries : queries.count;
  search_in_chunks(queries, k, batch_size, answer, [&](const VectorsView& batch, Answer& batch_answer) {
    const Records::ReadLock rows = records_.read();
    if (batch.count > 0) rows->require_shape(batch, "queries");
    const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
    const std::size_t found_k = std::min(k, admitted ? admitted->count() : rows->live_count());
    std::vector<Neighbor> neighbors(batch.count * found_k);
    if (!neighbors.empty()) {
      ExactTarget target = rows->target(admitted);
      const std::shared_ptr<const RowBounds> bounds = bounds_.get(target, batch.count, threads);
      target.bounds = bounds.get();
      exact_search(target, batch, found_k, threads, neighbors);
    }
    write_answer(neighbors, found_k, k, rows->ids(), batch_answer);
  });
}

RangeAnswer Flat::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_radius(radius);
  require_finite(queries, threads);
  return exact_range(records_, queries, radius, where, threads);
}

void Flat::save(function_ref<void(const FileWriter&)> write) const {
  const Records::WriterLock rows = records_.freeze();
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
