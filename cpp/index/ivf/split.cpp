#include "index/ivf/split.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "cluster/kmeans.hpp"
#include "cluster/nearest_centroid.hpp"
#include "index/ivf/training.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t max_length_ratio = 4;    // of a list's length to the typical length
constexpr std::size_t min_split_length = 128;  // shorter lists are not faster to scan
constexpr std::size_t max_sample_floats = std::size_t{1} << 26;
constexpr std::size_t rows_at_a_time = 4096;  // rows converted to points at a time
constexpr std::size_t neighbor_lists = 16;    // per new list, from which rows may move to it

/// The mean length of lists that are trained on so many rows.
std::size_t typical_length(std::size_t rows) noexcept {
  return std::max<std::size_t>(1, rows / list_count(IvfSettings(), rows));
}

std::uint64_t hash_of(std::span<const float> point) noexcept {
  std::uint64_t hash = 0;
  for (const float value : point) {
    hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  }
  return hash;
}

/// The rows without duplicates, ascending. Rows are compared by the hash of their points.
std::vector<Row> distinct_rows(const MetricSpace& space, std::span<const Row> rows, unsigned threads) {
  const std::size_t dim = space.point_dim();
  std::vector<std::pair<std::uint64_t, Row>> hashed_rows;
  for (std::size_t first = 0; first < rows.size(); first += rows_at_a_time) {
    const std::span<const Row> batch = rows.subspan(first, std::min(rows_at_a_time, rows.size() - first));
    const std::vector<float> points = points_of(space, batch, threads);
    for (std::size_t i = 0; i < batch.size(); ++i)
      hashed_rows.emplace_back(hash_of({points.data() + i * dim, dim}), batch[i]);
  }
  std::sort(hashed_rows.begin(), hashed_rows.end());
  const auto have_equal_hash = [](const auto& a, const auto& b) { return a.first == b.first; };
  hashed_rows.erase(std::unique(hashed_rows.begin(), hashed_rows.end(), have_equal_hash), hashed_rows.end());
  std::vector<Row> distinct;
  for (const auto& [hash, row] : hashed_rows) distinct.push_back(row);
  std::sort(distinct.begin(), distinct.end());
  return distinct;
}

/// Clusters rows into as many parts as give `length` distinct rows each, and returns the centroids.
std::vector<float> cluster_rows(const MetricSpace& space, std::span<const Row> rows, std::size_t length,
                                std::uint64_t seed, unsigned threads) {
  const std::vector<Row> distinct = distinct_rows(space, rows, threads);
  KMeansSettings kmeans_settings;
  kmeans_settings.clusters = (distinct.size() + length - 1) / length;
  kmeans_settings.iterations = kmeans_iterations;
  kmeans_settings.seed = seed;
  const std::size_t max_sample = std::max(kmeans_settings.clusters, max_sample_floats / space.point_dim());
  const std::vector<Row> sample =
      sampled_rows(distinct, std::min(kmeans_settings.clusters * sample_rows_per_list, max_sample), seed + 1);
  return kmeans(points_of(space, sample, threads), space.point_dim(), kmeans_settings, threads).centroids;
}

/// The lists nearest to the centroids of `new_lists`, except those that `pending` changes.
std::vector<std::uint32_t> lists_nearby(const IvfLists& lists, const Centroids& centroids,
                                        std::span<const std::uint32_t> new_lists, const IvfLists::Changes& pending) {
  std::vector<bool> is_nearby(centroids.count());
  ListQuery query;
  RankingScratch scratch;
  for (const std::uint32_t list : new_lists) {
    const std::span<const float> position = centroids.positions().subspan(list * centroids.dim(), centroids.dim());
    centroids.prepare(lists.quantizer->encoder, lists.quantizer->layout, position, query, scratch);
    for (const Neighbor& neighbor : centroids.rank(query, neighbor_lists, 1, scratch)) is_nearby[neighbor.row] = true;
  }
  for (const auto& [list, replacement] : pending.lists) is_nearby[list] = false;
  std::vector<std::uint32_t> nearby;
  for (std::uint32_t l = 0; l < lists.lists.size(); ++l)
    if (is_nearby[l]) nearby.push_back(l);
  return nearby;
}

double squared_distance(const float* a, const float* b, std::size_t dim) noexcept {
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) sum += (double{a[d]} - b[d]) * (double{a[d]} - b[d]);
  return sum;
}

/// Changes the label of every row whose nearest centroid among `new_lists` is nearer than that of its current list.
void reassign_to_nearer(const Centroids& centroids, std::span<const std::uint32_t> new_lists, const MetricSpace& space,
                        std::span<const Row> rows, unsigned threads, std::span<std::uint32_t> labels) {
  const std::size_t dim = centroids.dim();
  std::vector<float> positions;
  for (const std::uint32_t list : new_lists) {
    const auto position = centroids.positions().subspan(list * dim, dim);
    positions.insert(positions.end(), position.begin(), position.end());
  }
  const NearestCentroid nearest(positions, dim, threads);
  std::vector<std::uint32_t> nearest_new(rows_at_a_time);
  for (std::size_t first = 0; first < rows.size(); first += rows_at_a_time) {
    const std::size_t size = std::min(rows_at_a_time, rows.size() - first);
    const std::vector<float> points = points_of(space, rows.subspan(first, size), threads);
    nearest.assign(points, threads, std::span(nearest_new).first(size), {});
    for (std::size_t i = 0; i < size; ++i) {
      const float* const point = points.data() + i * dim;
      const float* const current = centroids.positions().data() + labels[first + i] * dim;
      const float* const candidate = positions.data() + nearest_new[i] * dim;
      if (squared_distance(point, candidate, dim) < squared_distance(point, current, dim))
        labels[first + i] = new_lists[nearest_new[i]];
    }
  }
}

}  // namespace

std::size_t max_list_length(std::size_t live) noexcept {
  return std::max(min_split_length, max_length_ratio * typical_length(live));
}

std::vector<std::uint32_t> take_out_long_lists(const IvfLists& lists, const RowFilter* live, std::size_t live_count,
                                               Insertions& insertions) {
  std::vector<const InvertedList*> old(lists.lists.size());
  for (std::size_t l = 0; l < old.size(); ++l) old[l] = &lists.lists[l];
  for (const auto& [list, replacement] : insertions.pending.lists) old[list] = &replacement;
  std::vector<std::size_t> new_count(old.size());
  for (const std::uint32_t label : insertions.labels) ++new_count[label];

  const std::size_t max_length = max_list_length(live_count);
  std::vector<std::uint32_t> emptied;
  for (std::size_t l = 0; l < old.size(); ++l) {
    const std::size_t old_ratio = old[l]->size() / (max_length + 1),
                      new_ratio = (old[l]->size() + new_count[l]) / (max_length + 1);
    if (std::bit_width(new_ratio) == std::bit_width(old_ratio)) continue;
    emptied.push_back(static_cast<std::uint32_t>(l));
    for (const Row row : old[l]->rows) {
      if (live && !live->test(row)) continue;
      insertions.rows.push_back(row);
      insertions.labels.push_back(static_cast<std::uint32_t>(l));
    }
  }
  std::erase_if(insertions.pending.lists,
                [&](const auto& change) { return std::binary_search(emptied.begin(), emptied.end(), change.first); });
  for (const std::uint32_t list : emptied) insertions.pending.lists.emplace_back(list, InvertedList());
  return emptied;
}

void split_lists(const IvfLists& lists, std::span<const std::uint32_t> emptied, const MetricSpace& space,
                 std::size_t live_count, std::uint64_t seed, unsigned threads, Insertions& insertions) {
  const IvfQuantizer& quantizer = *lists.quantizer;
  Centroids centroids = quantizer.centroids;
  std::vector<std::uint32_t> new_lists;
  for (const std::uint32_t list : emptied) {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < insertions.rows.size(); ++i)
      if (insertions.labels[i] == list) rows.push_back(insertions.rows[i]);
    const std::vector<float> centroids_of_parts = cluster_rows(space, rows, typical_length(live_count), seed, threads);
    const std::size_t first = new_lists.size(), count = centroids_of_parts.size() / centroids.dim();
    new_lists.push_back(list);
    for (std::size_t p = 1; p < count; ++p) new_lists.push_back(static_cast<std::uint32_t>(centroids.count() + p - 1));
    centroids.set(std::span(new_lists).subspan(first), centroids_of_parts, quantizer.encoder);
  }
  reassign_to_nearer(centroids, new_lists, space, insertions.rows, threads, insertions.labels);

  std::vector<Row> rows;
  std::vector<std::uint32_t> labels;
  for (const std::uint32_t list : lists_nearby(lists, centroids, new_lists, insertions.pending)) {
    rows.insert(rows.end(), lists.lists[list].rows.begin(), lists.lists[list].rows.end());
    labels.resize(rows.size(), list);
  }
  const std::vector<std::uint32_t> old_labels = labels;
  reassign_to_nearer(centroids, new_lists, space, rows, threads, labels);
  RowFilter is_reassigned(lists.listed_rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (labels[i] == old_labels[i]) continue;
    is_reassigned.set(rows[i]);
    insertions.rows.push_back(rows[i]);
    insertions.labels.push_back(labels[i]);
  }
  for (auto& change : lists.changes_to_remove([&](Row row) { return is_reassigned.test(row); }).lists)
    insertions.pending.lists.push_back(std::move(change));
  insertions.pending.centroids = std::move(centroids);
}

bool needs_own_frames(const IvfLists& lists, const MetricSpace& space, unsigned threads, const Insertions& insertions) {
  const Centroids& centroids = *insertions.pending.centroids;
  if (centroids.frame() == Frame::per_list) return false;
  // New and emptied lists hold only inserted rows, so their spreads can be computed from the insertions.
  std::vector<bool> is_new(centroids.count(), true);
  for (std::size_t l = 0; l < lists.lists.size(); ++l) is_new[l] = false;
  for (const auto& [list, replacement] : insertions.pending.lists) is_new[list] = replacement.size() == 0;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < insertions.rows.size(); ++i)
    if (is_new[insertions.labels[i]]) positions.push_back(i);

  const std::size_t dim = centroids.dim();
  std::vector<ListSpread> spreads(centroids.count());
  std::vector<Row> rows;
  for (std::size_t first = 0; first < positions.size(); first += rows_at_a_time) {
    const std::span<const std::size_t> batch =
        std::span(positions).subspan(first, std::min(rows_at_a_time, positions.size() - first));
    rows.clear();
    for (const std::size_t i : batch) rows.push_back(insertions.rows[i]);
    const std::vector<float> points = points_of(space, rows, threads);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::uint32_t list = insertions.labels[batch[i]];
      ++spreads[list].rows;
      spreads[list].sum_of_squares +=
          squared_distance(points.data() + i * dim, centroids.positions().data() + list * dim, dim);
    }
  }
  return 2 * count_rows_in_tight_lists(centroids.positions(), spreads, centroids.origin()) > positions.size();
}

}  // namespace lookalike
