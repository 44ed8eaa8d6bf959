#include "index/ivf/lists.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "cluster/nearest_centroid.hpp"
#include "index/ivf/training.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

/// Rows at a time so that their points take some 32 MB.
std::size_t rows_at_a_time(std::size_t dim) {
  return std::clamp<std::size_t>((std::size_t{1} << 23) / dim, encoded_together, 1 << 16);
}

}  // namespace

std::size_t IvfLists::bytes() const noexcept {
  std::size_t bytes = lists.size() * sizeof(InvertedList);
  for (const InvertedList& list : lists) bytes += list.bytes();
  return bytes + (quantizer ? quantizer->encoder.bytes() + quantizer->centroids.bytes() : 0);
}

std::vector<std::uint32_t> IvfLists::nearest_lists(const MetricSpace& space, std::span<const Row> rows,
                                                   unsigned threads) const {
  constexpr std::size_t few = 64;  // rows for which nothing is worth being prepared
  const Centroids& centroids = quantizer->centroids;
  const std::size_t dim = centroids.dim();
  std::vector<std::uint32_t> labels(rows.size());
  if (rows.size() <= few) {
    ListQuery query;
    RankingScratch scratch;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      centroids.prepare(quantizer->encoder, quantizer->form, points_of(space, rows.subspan(i, 1), 1), query, scratch);
      labels[i] = centroids.rank(query, 1, 1, scratch).front().row;
    }
    return labels;
  }
  const NearestCentroid nearest(centroids.positions(), dim, threads);
  const std::size_t step = rows_at_a_time(dim);
  for (std::size_t first = 0; first < rows.size(); first += step) {
    const std::size_t size = std::min(step, rows.size() - first);
    nearest.assign(points_of(space, rows.subspan(first, size), threads), threads,
                   std::span(labels).subspan(first, size), {});
  }
  return labels;
}

void IvfLists::encode(const Centroids& centroids, const MetricSpace& space, std::span<const Row> rows,
                      std::span<const std::uint32_t> labels, std::byte* codes) const {
  const Encoder& encoder = quantizer->encoder;
  const std::size_t dim = encoder.dim();
  std::vector<float> points(rows.size() * dim), beyond(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<float> point = std::span(points).subspan(i * dim, dim);
    space.write_point(rows[i], point.data());
    beyond[i] = space.beyond(rows[i], point);
    centroids.subtract(labels[i], point, encoder.center());
  }
  space.has_read(rows);
  encoder.encode_centered(points, codes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::byte* const code = codes + i * encoder.stride();
    encoder.lengthen(code, centroids.bias_of(encoder, code, labels[i]) + beyond[i]);
  }
}

IvfLists::Changes IvfLists::with(const MetricSpace& space, std::span<const Row> rows,
                                 std::span<const std::uint32_t> labels, unsigned threads, Changes before) const {
  const Centroids& centroids = before.centroids ? *before.centroids : quantizer->centroids;
  const InvertedList none;
  std::vector<const InvertedList*> old(centroids.count(), &none);
  for (std::size_t l = 0; l < lists.size(); ++l) old[l] = &lists[l];
  for (const auto& [list, changed] : before.lists) old[list] = &changed;
  std::vector<std::size_t> coming(old.size()), at(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) at[i] = old[labels[i]]->size() + coming[labels[i]]++;

  Changes changes;
  std::vector<std::size_t> place(old.size());
  for (std::size_t l = 0; l < old.size(); ++l) {
    if (coming[l] == 0 && l < lists.size() && old[l] == &lists[l]) continue;
    InvertedList next;
    next.rows.resize_for_overwrite(old[l]->size() + coming[l]);
    std::copy(old[l]->rows.begin(), old[l]->rows.end(), next.rows.mutable_data());
    if (quantizer->scans_codes) {
      next.blocks.resize(quantizer->form.bytes(next.size()));
      std::copy(old[l]->blocks.begin(), old[l]->blocks.end(), next.blocks.mutable_data());
    }
    place[l] = changes.lists.size();
    changes.lists.emplace_back(l, std::move(next));
  }
  std::vector<Row*> numbers;
  std::vector<std::byte*> codes;
  for (auto& [list, next] : changes.lists) {
    numbers.push_back(next.rows.mutable_data());
    codes.push_back(next.blocks.mutable_data());
  }

  parallel_for((rows.size() + encoded_together - 1) / encoded_together, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * encoded_together, size = std::min(encoded_together, rows.size() - first);
    for (std::size_t i = first; i < first + size; ++i) numbers[place[labels[i]]][at[i]] = rows[i];
    if (!quantizer->scans_codes) return;
    const std::size_t stride = quantizer->encoder.stride();
    std::vector<std::byte> encoded(size * stride);
    encode(centroids, space, rows.subspan(first, size), labels.subspan(first, size), encoded.data());
    for (std::size_t i = 0; i < size; ++i)
      quantizer->form.put(codes[place[labels[first + i]]], at[first + i], encoded.data() + i * stride);
  });
  // Rows put in again come behind later ones.
  for (auto& [list, next] : changes.lists)
    if (!std::is_sorted(next.rows.begin(), next.rows.end())) sort(next);
  changes.centroids = std::move(before.centroids);
  return changes;
}

void IvfLists::sort(InvertedList& list) const {
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return list.rows[a] < list.rows[b]; });
  list = in_order(list, order, [](Row row) { return row; });
}

InvertedList IvfLists::in_order(const InvertedList& list, std::span<const std::size_t> order,
                                function_ref<Row(Row)> renamed) const {
  InvertedList next;
  next.rows.resize_for_overwrite(order.size());
  if (quantizer->scans_codes) next.blocks.resize(quantizer->form.bytes(order.size()));
  Row* const rows = next.rows.mutable_data();
  std::byte* const blocks = next.blocks.mutable_data();
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows[i] = renamed(list.rows[order[i]]);
    if (quantizer->scans_codes) quantizer->form.copy(blocks, i, list.blocks.data(), order[i]);
  }
  return next;
}

IvfLists::Changes IvfLists::without(function_ref<bool(Row)> is_gone) const {
  Changes changes;
  std::vector<std::size_t> order;
  for (std::size_t l = 0; l < lists.size(); ++l) {
    if (std::none_of(lists[l].rows.begin(), lists[l].rows.end(), is_gone)) continue;
    order.clear();
    for (std::size_t i = 0; i < lists[l].size(); ++i)
      if (!is_gone(lists[l].rows[i])) order.push_back(i);
    changes.lists.emplace_back(l, in_order(lists[l], order, [](Row row) { return row; }));
  }
  return changes;
}

void IvfLists::apply(Changes& changes) {
  if (changes.centroids) {
    lists.resize(changes.centroids->count());
    std::swap(quantizer->centroids, *changes.centroids);
  }
  for (auto& [list, next] : changes.lists) std::swap(lists[list], next);
}

IvfLists IvfLists::picked(std::span<const Row> rows) const {
  IvfLists next;
  next.length = length;
  next.trained_over = trained_over;
  next.listed_since = listed_since;
  if (is_empty()) return next;
  next.quantizer = quantizer;
  std::vector<Row> now(listed, no_row);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= listed) continue;
    now[rows[i]] = static_cast<Row>(i);
    next.listed = i + 1;
  }
  std::vector<std::size_t> order;
  for (const InvertedList& list : lists) {
    order.clear();
    for (std::size_t i = 0; i < list.size(); ++i)
      if (now[list.rows[i]] != no_row) order.push_back(i);
    next.lists.push_back(in_order(list, order, [&](Row row) { return now[row]; }));
  }
  return next;
}

}  // namespace lookalike
