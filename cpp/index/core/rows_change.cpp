#include "index/core/rows_change.hpp"

#include <algorithm>
#include <string>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_per_task = 4096;

void require_room(const VectorStore& store, std::size_t fresh) {
  if (fresh > max_rows - store.rows()) {
    throw InvalidArgument("an index holds at most " + std::to_string(max_rows) + " vectors, removed ones included");
  }
}

VectorStore::Growth make_room(VectorStore& store, const VectorsView& vectors, std::size_t fresh, unsigned threads) {
  require_room(store, fresh);
  return store.grow(store.element_with(vectors, threads), vectors.dim, fresh, threads);
}

std::size_t count_new(const std::vector<Row>& places) {
  return static_cast<std::size_t>(std::count(places.begin(), places.end(), no_row));
}

void require_new(const IdsView& ids, const IdMap& map) {
  map.require_distinct(ids);
  const std::vector<Row> places = map.find(ids);
  const auto known = std::find_if(places.begin(), places.end(), [](Row row) { return row != no_row; });
  if (known == places.end()) return;
  const auto at = static_cast<std::size_t>(known - places.begin());
  throw InvalidArgument("ids[" + std::to_string(at) + "] is " + ids.describe(at) +
                        ", which is in the index already; upsert replaces its vector");
}

/// The ids of the rows that are new, in their order.
struct NewIds {
  NewIds(const IdsView& given, const std::vector<Row>& places) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] != no_row) continue;
      if (given.strings) {
        strings.push_back((*given.strings)[i]);
      } else {
        integers.push_back(given.integers[i]);
      }
    }
    view = {integers, given.strings ? &strings : nullptr};
  }
  std::vector<std::int64_t> integers;
  Strings strings;
  IdsView view;
};

}  // namespace

void require_addable(const Rows& rows, const VectorsView& vectors, const std::optional<IdsView>& ids,
                     unsigned threads) {
  rows.require_shape(vectors, "vectors");
  if (ids) {
    require_new(*ids, rows.ids());
  } else {
    rows.ids().automatic(vectors.count);
  }
  require_room(rows.store(), vectors.count);
  rows.store().element_with(vectors, threads);
}

Change Change::addition(Rows& rows, const VectorsView& vectors, unsigned threads) {
  rows.require_shape(vectors, "vectors");
  const std::vector<std::int64_t> ids = rows.ids_.automatic(vectors.count);
  return Change(rows, vectors, {ids}, threads);
}

Change Change::addition(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  rows.require_shape(vectors, "vectors");
  require_new(ids, rows.ids_);
  return Change(rows, vectors, ids, threads);
}

Change Change::upsertion(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  rows.require_shape(vectors, "vectors");
  rows.ids_.require_distinct(ids);
  return Change(rows, vectors, ids, rows.ids_.find(ids), threads);
}

Change::Change(Rows& rows, const VectorsView& vectors, const IdsView& new_ids, unsigned threads)
    : first_(static_cast<Row>(rows.count())),
      store_(make_room(rows.store_, vectors, vectors.count, threads)),
      ids_(rows.ids_.grow(new_ids)),
      promotes_(rows.count() > 0 && store_.element() != rows.store_.element()) {
  convert(vectors, store_.element(), store_.room(), threads);
  measure(rows, threads);
}

Change::Change(Rows& rows, const VectorsView& vectors, const IdsView& ids, const std::vector<Row>& places,
               unsigned threads)
    : first_(static_cast<Row>(rows.count())),
      store_(make_room(rows.store_, vectors, count_new(places), threads)),
      ids_(rows.ids_.grow(NewIds(ids, places).view)),
      promotes_(rows.count() > 0 && store_.element() != rows.store_.element()) {
  const std::size_t bytes = row_bytes(store_.element(), vectors.dim);
  replacements_.resize_for_overwrite((places.size() - count_new(places)) * bytes);
  std::byte* fresh = store_.room();
  std::byte* old = replacements_.mutable_data();
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::byte*& out = places[i] == no_row ? fresh : old;
    convert(vectors.slice(i, 1), store_.element(), out);
    out += bytes;
    if (places[i] != no_row) replaced_.push_back(places[i]);
  }
  measure(rows, threads);
}

VectorsView Change::replacements() noexcept {
  const VectorsView fresh = store_.view();
  return {replacements_.data(), fresh.element, replaced_.size(), fresh.dim, fresh.stride};
}

void Change::measure(Rows& rows, unsigned threads) {
  const VectorsView added = fresh(), changed = replacements();
  if (rows.metric_ == Metric::ip)
    largest_norm_ = std::max(lookalike::largest_norm(added), lookalike::largest_norm(changed));
  if (rows.metric_ != Metric::cosine) return;
  replacement_norms_.resize(changed.count);
  inverse_norms(changed, replacement_norms_.data());
  norms_.emplace(rows.inverse_norms_, added.count);
  norms_before_ = rows.inverse_norms_.size();
  float* out = norms_->data() + norms_before_;
  parallel_for((added.count + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * rows_per_task;
    inverse_norms(added.slice(first, std::min(rows_per_task, added.count - first)), out + first);
  });
}

}  // namespace lookalike
