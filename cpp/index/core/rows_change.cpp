#include "index/core/rows_change.hpp"

#include <algorithm>
#include <string>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_per_task = 4096;

void require_room(const VectorStore& store, std::size_t new_count) {
  if (new_count > max_rows - store.rows()) {
    throw InvalidArgument("an index holds at most " + std::to_string(max_rows) + " vectors, including removed ones");
  }
}

VectorStore::Growth make_room(VectorStore& store, const VectorsView& vectors, std::size_t new_count, unsigned threads) {
  require_room(store, new_count);
  return store.grow(store.element_with(vectors, threads), vectors.dim, new_count, threads);
}

std::size_t count_new(const std::vector<Row>& target_rows) {
  return static_cast<std::size_t>(std::count(target_rows.begin(), target_rows.end(), no_row));
}

void require_new(const IdsView& ids, const IdMap& map) {
  map.require_distinct(ids);
  const std::vector<Row> target_rows = map.find(ids);
  const auto stored = std::find_if(target_rows.begin(), target_rows.end(), [](Row row) { return row != no_row; });
  if (stored == target_rows.end()) return;
  const auto position = static_cast<std::size_t>(stored - target_rows.begin());
  throw InvalidArgument("ids[" + std::to_string(position) + "] is " + ids.describe(position) +
                        ", which is in the index already; upsert replaces its vector");
}

/// The ids that are not stored yet, in their order.
struct NewIds {
  NewIds(const IdsView& ids, const std::vector<Row>& target_rows) {
    for (std::size_t i = 0; i < target_rows.size(); ++i) {
      if (target_rows[i] != no_row) continue;
      if (ids.strings) {
        strings.push_back((*ids.strings)[i]);
      } else {
        integers.push_back(ids.integers[i]);
      }
    }
    view = {integers, ids.strings ? &strings : nullptr};
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
    rows.ids().automatic_ids(vectors.count);
  }
  require_room(rows.store(), vectors.count);
  rows.store().element_with(vectors, threads);
}

Change Change::addition(Rows& rows, const VectorsView& vectors, unsigned threads) {
  rows.require_shape(vectors, "vectors");
  const std::vector<std::int64_t> ids = rows.ids_.automatic_ids(vectors.count);
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
      changes_element_(rows.count() > 0 && store_.element() != rows.store_.element()) {
  convert(vectors, store_.element(), store_.new_rows(), threads);
  compute_norms(rows, threads);
}

Change::Change(Rows& rows, const VectorsView& vectors, const IdsView& ids, const std::vector<Row>& target_rows,
               unsigned threads)
    : first_(static_cast<Row>(rows.count())),
      store_(make_room(rows.store_, vectors, count_new(target_rows), threads)),
      ids_(rows.ids_.grow(NewIds(ids, target_rows).view)),
      changes_element_(rows.count() > 0 && store_.element() != rows.store_.element()) {
  const std::size_t bytes = row_bytes(store_.element(), vectors.dim);
  replacements_.resize_for_overwrite((target_rows.size() - count_new(target_rows)) * bytes);
  std::byte* next_added = store_.new_rows();
  std::byte* next_replacement = replacements_.mutable_data();
  for (std::size_t i = 0; i < target_rows.size(); ++i) {
    std::byte*& out = target_rows[i] == no_row ? next_added : next_replacement;
    convert(vectors.slice(i, 1), store_.element(), out);
    out += bytes;
    if (target_rows[i] != no_row) replaced_.push_back(target_rows[i]);
  }
  compute_norms(rows, threads);
}

VectorsView Change::replacements() noexcept {
  const VectorsView added = store_.view();
  return {replacements_.data(), added.element, replaced_.size(), added.dim, added.stride};
}

void Change::compute_norms(Rows& rows, unsigned threads) {
  const VectorsView added_vectors = added(), replacement_vectors = replacements();
  if (rows.metric_ == Metric::ip)
    largest_norm_ = std::max(lookalike::largest_norm(added_vectors), lookalike::largest_norm(replacement_vectors));
  if (rows.metric_ != Metric::cosine) return;
  replacement_norms_.resize(replacement_vectors.count);
  inverse_norms(replacement_vectors, replacement_norms_.data());
  norms_.emplace(rows.inverse_norms_, added_vectors.count);
  old_norm_count_ = rows.inverse_norms_.size();
  float* out = norms_->data() + old_norm_count_;
  parallel_for((added_vectors.count + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * rows_per_task;
    inverse_norms(added_vectors.slice(first, std::min(rows_per_task, added_vectors.count - first)), out + first);
  });
}

}  // namespace lookalike
