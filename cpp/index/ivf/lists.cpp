#include "index/ivf/lists.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "cluster/nearest_centroid.hpp"
#include "index/ivf/training.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

/// How many rows to assign at a time, so that their points take about 32 MB.
std::size_t assignment_batch(std::size_t dim) {
  return std::clamp<std::size_t>((std::size_t{1} << 23) / dim, encoding_batch, 1 << 16);
}

}  // namespace

std::size_t IvfLists::bytes() const noexcept {
  std::size_t bytes = lists.size() * sizeof(InvertedList);
  for (const InvertedList& list : lists) bytes += list.bytes();
  return bytes + (quantizer ? quantizer->encoder.bytes() + quantizer->centroids.bytes() : 0);
}

std::vector<std::uint32_t> IvfLists::nearest_lists(const MetricSpace& space, std::span<const Row> rows,
                                                   unsigned threads) const {
  constexpr std::size_t min_rows_to_prepare = 64;  // for fewer rows, preparing a NearestCentroid does not pay off
  const Centroids& centroids = quantizer->centroids;
  const std::size_t dim = centroids.dim();
  std::vector<std::uint32_t> labels(rows.size());
  if (rows.size() <= min_rows_to_prepare) {
    ListQuery query;
    RankingScratch scratch;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      centroids.prepare(quantizer->encoder, quantizer->layout, points_of(space, rows.subspan(i, 1), 1), query, scratch);
      labels[i] = centroids.rank(query, 1, 1, scratch).front().row;
    }
    return labels;
  }
  const NearestCentroid nearest(centroids.positions(), dim, threads);
  const std::size_t batch = assignment_batch(dim);
  for (std::size_t first = 0; first < rows.size(); first += batch) {
    const std::size_t size = std::min(batch, rows.size() - first);
    nearest.assign(points_of(space, rows.subspan(first, size), threads), threads,
                   std::span(labels).subspan(first, size), {});
  }
  return labels;
}

void IvfLists::encode(const Centroids& centroids, const MetricSpace& space, std::span<const Row> rows,
                      std::span<const std::uint32_t> labels, std::byte* codes) const {
  const Encoder& encoder = quantizer->encoder;
  const std::size_t dim = encoder.dim();
  std::vector<float> points(rows.size() * dim), offsets(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<float> point = std::span(points).subspan(i * dim, dim);
    space.write_point(rows[i], point.data());
    offsets[i] = space.distance_offset(rows[i], point);
    centroids.subtract_from(labels[i], point, encoder.center());
  }
  space.count_read(rows);
  encoder.encode_centered(points, codes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::byte* const code = codes + i * encoder.stride();
    encoder.add_distance_offset(code, centroids.bias_of(encoder, code, labels[i]) + offsets[i]);
  }
}

IvfLists::Changes IvfLists::changes_to_add(const MetricSpace& space, std::span<const Row> rows,
                                           std::span<const std::uint32_t> labels, unsigned threads,
                                           Changes pending) const {
  const Centroids& centroids = pending.centroids ? *pending.centroids : quantizer->centroids;
  const InvertedList empty;
  std::vector<const InvertedList*> old(centroids.count(), &empty);
  for (std::size_t l = 0; l < lists.size(); ++l) old[l] = &lists[l];
  for (const auto& [list, changed] : pending.lists) old[list] = &changed;
  std::vector<std::size_t> new_counts(old.size()), positions(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) positions[i] = old[labels[i]]->size() + new_counts[labels[i]]++;

  Changes changes;
  std::vector<std::size_t> change_of_list(old.size());
  for (std::size_t l = 0; l < old.size(); ++l) {
    if (new_counts[l] == 0 && l < lists.size() && old[l] == &lists[l]) continue;
    InvertedList next;
    next.rows.resize_for_overwrite(old[l]->size() + new_counts[l]);
    std::copy(old[l]->rows.begin(), old[l]->rows.end(), next.rows.mutable_data());
    if (quantizer->scans_codes) {
      next.blocks.resize(quantizer->layout.bytes(next.size()));
      std::copy(old[l]->blocks.begin(), old[l]->blocks.end(), next.blocks.mutable_data());
    }
    change_of_list[l] = changes.lists.size();
    changes.lists.emplace_back(l, std::move(next));
  }
  std::vector<Row*> row_targets;
  std::vector<std::byte*> block_targets;
  for (auto& [list, next] : changes.lists) {
    row_targets.push_back(next.rows.mutable_data());
    block_targets.push_back(next.blocks.mutable_data());
  }

  parallel_for((rows.size() + encoding_batch - 1) / encoding_batch, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * encoding_batch, size = std::min(encoding_batch, rows.size() - first);
    for (std::size_t i = first; i < first + size; ++i) row_targets[change_of_list[labels[i]]][positions[i]] = rows[i];
    if (!quantizer->scans_codes) return;
    const std::size_t stride = quantizer->encoder.stride();
    std::vector<std::byte> encoded(size * stride);
    encode(centroids, space, rows.subspan(first, size), labels.subspan(first, size), encoded.data());
    for (std::size_t i = 0; i < size; ++i)
      quantizer->layout.pack(block_targets[change_of_list[labels[first + i]]], positions[first + i],
                             encoded.data() + i * stride);
  });
  // Replaced rows are appended although later rows may precede them.
  for (auto& [list, next] : changes.lists)
    if (!std::is_sorted(next.rows.begin(), next.rows.end())) sort(next);
  changes.centroids = std::move(pending.centroids);
  return changes;
}

void IvfLists::sort(InvertedList& list) const {
  std::vector<std::size_t> order(list.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return list.rows[a] < list.rows[b]; });
  list = reordered(list, order, [](Row row) { return row; });
}

InvertedList IvfLists::reordered(const InvertedList& list, std::span<const std::size_t> order,
                                 function_ref<Row(Row)> renumbered) const {
  InvertedList next;
  next.rows.resize_for_overwrite(order.size());
  if (quantizer->scans_codes) next.blocks.resize(quantizer->layout.bytes(order.size()));
  Row* const rows = next.rows.mutable_data();
  std::byte* const blocks = next.blocks.mutable_data();
  for (std::size_t i = 0; i < order.size(); ++i) {
    rows[i] = renumbered(list.rows[order[i]]);
    if (quantizer->scans_codes) quantizer->layout.copy(blocks, i, list.blocks.data(), order[i]);
  }
  return next;
}

IvfLists::Changes IvfLists::changes_to_remove(function_ref<bool(Row)> is_removed) const {
  Changes changes;
  std::vector<std::size_t> order;
  for (std::size_t l = 0; l < lists.size(); ++l) {
    if (std::none_of(lists[l].rows.begin(), lists[l].rows.end(), is_removed)) continue;
    order.clear();
    for (std::size_t i = 0; i < lists[l].size(); ++i)
      if (!is_removed(lists[l].rows[i])) order.push_back(i);
    changes.lists.emplace_back(l, reordered(lists[l], order, [](Row row) { return row; }));
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

IvfLists IvfLists::subset(std::span<const Row> rows) const {
  IvfLists next;
  next.augmented_norm = augmented_norm;
  next.trained_rows = trained_rows;
  next.listed_since_training = listed_since_training;
  if (is_empty()) return next;
  next.quantizer = quantizer;
  std::vector<Row> new_row_of(listed_rows, no_row);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= listed_rows) continue;
    new_row_of[rows[i]] = static_cast<Row>(i);
    next.listed_rows = i + 1;
  }
  std::vector<std::size_t> order;
  for (const InvertedList& list : lists) {
    order.clear();
    for (std::size_t i = 0; i < list.size(); ++i)
      if (new_row_of[list.rows[i]] != no_row) order.push_back(i);
    next.lists.push_back(reordered(list, order, [&](Row row) { return new_row_of[row]; }));
  }
  return next;
}

}  // namespace lookalike
