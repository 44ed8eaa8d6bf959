#include "indexes/flat_change.hpp"

#include <algorithm>
#include <string>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_per_task = 4096;

VectorStore::Growth make_room(VectorStore& store, const VectorsView& vectors, std::size_t fresh, unsigned threads) {
  if (fresh > max_rows - store.rows()) {
    throw InvalidArgument("an index holds at most " + std::to_string(max_rows) + " vectors, removed ones included");
  }
  return store.grow(store.element_with(vectors, threads), vectors.dim, fresh, threads);
}

std::size_t count_new(const std::vector<Row>& rows) {
  return static_cast<std::size_t>(std::count(rows.begin(), rows.end(), no_row));
}

/// The ids of the rows that are new, in their order.
struct NewIds {
  NewIds(const IdsView& given, const std::vector<Row>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] != no_row) continue;
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

Flat::Change::Change(Flat& index, const VectorsView& vectors, const IdsView& new_ids, unsigned threads)
    : store(make_room(index.store_, vectors, vectors.count, threads)), ids(index.ids_.grow(new_ids)) {
  convert(vectors, store.element(), store.room(), threads);
  measure(index, threads);
}

Flat::Change::Change(Flat& index, const VectorsView& vectors, const IdsView& given, const std::vector<Row>& rows,
                     unsigned threads)
    : store(make_room(index.store_, vectors, count_new(rows), threads)),
      ids(index.ids_.grow(NewIds(given, rows).view)) {
  const std::size_t bytes = row_bytes(store.element(), vectors.dim);
  replacement.resize_for_overwrite((rows.size() - count_new(rows)) * bytes);
  std::byte* fresh = store.room();
  std::byte* old = replacement.mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::byte*& out = rows[i] == no_row ? fresh : old;
    convert(vectors.slice(i, 1), store.element(), out);
    out += bytes;
    if (rows[i] != no_row) replaced.push_back(rows[i]);
  }
  measure(index, threads);
}

void Flat::Change::measure(Flat& index, unsigned threads) {
  const VectorsView fresh = store.view();
  const VectorsView old = {replacement.data(), fresh.element, replaced.size(), fresh.dim, fresh.stride};
  if (index.metric_ == Metric::ip)
    largest_norm = std::max(lookalike::largest_norm(fresh), lookalike::largest_norm(old));
  if (index.metric_ != Metric::cosine) return;
  replacement_norms.resize(replaced.size());
  inverse_norms(old, replacement_norms.data());
  norms.emplace(index.inverse_norms_, fresh.count);
  float* out = norms->data() + index.inverse_norms_.size();
  parallel_for((fresh.count + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * rows_per_task;
    inverse_norms(fresh.slice(first, std::min(rows_per_task, fresh.count - first)), out + first);
  });
}

}  // namespace lookalike
