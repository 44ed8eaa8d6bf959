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

constexpr std::size_t too_long = 4;      // times the usual length
constexpr std::size_t short_list = 128;  // rows, which are scanned as soon as fewer
constexpr std::size_t most_sampled_floats = std::size_t{1} << 26;
constexpr std::size_t most_points = 4096;  // made at a time
constexpr std::size_t lists_around = 16;   // a new one, that may hold rows of its

/// How long lists are that are learned from so many rows.
std::size_t usual_length(std::size_t rows) noexcept {
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

/// One of all rows that are equal, ascending.
std::vector<Row> distinct_of(const MetricSpace& space, std::span<const Row> rows, unsigned threads) {
  const std::size_t dim = space.point_dim();
  std::vector<std::pair<std::uint64_t, Row>> hashes;
  for (std::size_t first = 0; first < rows.size(); first += most_points) {
    const std::span<const Row> some = rows.subspan(first, std::min(most_points, rows.size() - first));
    const std::vector<float> points = points_of(space, some, threads);
    for (std::size_t i = 0; i < some.size(); ++i) hashes.emplace_back(hash_of({points.data() + i * dim, dim}), some[i]);
  }
  std::sort(hashes.begin(), hashes.end());
  const auto have_one = [](const auto& a, const auto& b) { return a.first == b.first; };
  hashes.erase(std::unique(hashes.begin(), hashes.end(), have_one), hashes.end());
  std::vector<Row> distinct;
  for (const auto& [hash, row] : hashes) distinct.push_back(row);
  std::sort(distinct.begin(), distinct.end());
  return distinct;
}

/// Centroids of parts so many that they would be `length` long were no rows equal.
std::vector<float> parts_of(const MetricSpace& space, std::span<const Row> rows, std::size_t length, std::uint64_t seed,
                            unsigned threads) {
  const std::vector<Row> distinct = distinct_of(space, rows, threads);
  KMeansSettings means;
  means.clusters = (distinct.size() + length - 1) / length;
  means.iterations = list_iterations;
  means.seed = seed;
  const std::size_t most = std::max(means.clusters, most_sampled_floats / space.point_dim());
  const std::vector<Row> sample = drawn(distinct, std::min(means.clusters * sampled_per_list, most), seed + 1);
  return kmeans(points_of(space, sample, threads), space.point_dim(), means, threads).centroids;
}

/// The lists nearest to the centroids `fresh` in which nothing changes.
std::vector<std::uint32_t> lists_nearby(const IvfLists& lists, const Centroids& centroids,
                                        std::span<const std::uint32_t> fresh, const IvfLists::Changes& before) {
  std::vector<bool> is_near(centroids.count());
  ListQuery query;
  RankingScratch scratch;
  for (const std::uint32_t list : fresh) {
    const std::span<const float> position = centroids.positions().subspan(list * centroids.dim(), centroids.dim());
    centroids.prepare(lists.quantizer->encoder, lists.quantizer->form, position, query, scratch);
    for (const Neighbor& near : centroids.rank(query, lists_around, 1, scratch)) is_near[near.row] = true;
  }
  for (const auto& [list, changed] : before.lists) is_near[list] = false;
  std::vector<std::uint32_t> nearby;
  for (std::uint32_t l = 0; l < lists.lists.size(); ++l)
    if (is_near[l]) nearby.push_back(l);
  return nearby;
}

double square_between(const float* a, const float* b, std::size_t dim) noexcept {
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) sum += (double{a[d]} - b[d]) * (double{a[d]} - b[d]);
  return sum;
}

/// Puts each of some rows, `labels` of which say where they are, into the nearest of the lists `fresh` if that is
/// nearer.
void move_nearer(const Centroids& centroids, std::span<const std::uint32_t> fresh, const MetricSpace& space,
                 std::span<const Row> rows, unsigned threads, std::span<std::uint32_t> labels) {
  const std::size_t dim = centroids.dim();
  std::vector<float> positions;
  for (const std::uint32_t list : fresh) {
    const auto position = centroids.positions().subspan(list * dim, dim);
    positions.insert(positions.end(), position.begin(), position.end());
  }
  const NearestCentroid nearest(positions, dim, threads);
  std::vector<std::uint32_t> found(most_points);
  for (std::size_t first = 0; first < rows.size(); first += most_points) {
    const std::size_t size = std::min(most_points, rows.size() - first);
    const std::vector<float> points = points_of(space, rows.subspan(first, size), threads);
    nearest.assign(points, threads, std::span(found).first(size), {});
    for (std::size_t i = 0; i < size; ++i) {
      const float* const point = points.data() + i * dim;
      const float* const here = centroids.positions().data() + labels[first + i] * dim;
      const float* const there = positions.data() + found[i] * dim;
      if (square_between(point, there, dim) < square_between(point, here, dim)) labels[first + i] = fresh[found[i]];
    }
  }
}

}  // namespace

std::size_t length_to_split(std::size_t live) noexcept { return std::max(short_list, too_long * usual_length(live)); }

std::vector<std::uint32_t> empty_long_lists(const IvfLists& lists, const RowFilter* live, std::size_t live_count,
                                            Arrivals& arrivals) {
  std::vector<const InvertedList*> old(lists.lists.size());
  for (std::size_t l = 0; l < old.size(); ++l) old[l] = &lists.lists[l];
  for (const auto& [list, changed] : arrivals.before.lists) old[list] = &changed;
  std::vector<std::size_t> coming(old.size());
  for (const std::uint32_t label : arrivals.labels) ++coming[label];

  const std::size_t longest = length_to_split(live_count);
  std::vector<std::uint32_t> emptied;
  for (std::size_t l = 0; l < old.size(); ++l) {
    const std::size_t before = old[l]->size() / (longest + 1), after = (old[l]->size() + coming[l]) / (longest + 1);
    if (std::bit_width(after) == std::bit_width(before)) continue;
    emptied.push_back(static_cast<std::uint32_t>(l));
    for (const Row row : old[l]->rows) {
      if (live && !live->test(row)) continue;
      arrivals.rows.push_back(row);
      arrivals.labels.push_back(static_cast<std::uint32_t>(l));
    }
  }
  std::erase_if(arrivals.before.lists,
                [&](const auto& change) { return std::binary_search(emptied.begin(), emptied.end(), change.first); });
  for (const std::uint32_t list : emptied) arrivals.before.lists.emplace_back(list, InvertedList());
  return emptied;
}

void split_lists(const IvfLists& lists, std::span<const std::uint32_t> emptied, const MetricSpace& space,
                 std::size_t live_count, std::uint64_t seed, unsigned threads, Arrivals& arrivals) {
  const IvfQuantizer& quantizer = *lists.quantizer;
  Centroids centroids = quantizer.centroids;
  std::vector<std::uint32_t> fresh;
  for (const std::uint32_t list : emptied) {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < arrivals.rows.size(); ++i)
      if (arrivals.labels[i] == list) rows.push_back(arrivals.rows[i]);
    const std::vector<float> parts = parts_of(space, rows, usual_length(live_count), seed, threads);
    const std::size_t first = fresh.size(), count = parts.size() / centroids.dim();
    fresh.push_back(list);
    for (std::size_t p = 1; p < count; ++p) fresh.push_back(static_cast<std::uint32_t>(centroids.count() + p - 1));
    centroids.put(std::span(fresh).subspan(first), parts, quantizer.encoder);
  }
  move_nearer(centroids, fresh, space, arrivals.rows, threads, arrivals.labels);

  std::vector<Row> rows;
  std::vector<std::uint32_t> labels;
  for (const std::uint32_t list : lists_nearby(lists, centroids, fresh, arrivals.before)) {
    rows.insert(rows.end(), lists.lists[list].rows.begin(), lists.lists[list].rows.end());
    labels.resize(rows.size(), list);
  }
  const std::vector<std::uint32_t> present = labels;
  move_nearer(centroids, fresh, space, rows, threads, labels);
  RowFilter is_moved(lists.listed);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (labels[i] == present[i]) continue;
    is_moved.set(rows[i]);
    arrivals.rows.push_back(rows[i]);
    arrivals.labels.push_back(labels[i]);
  }
  for (auto& change : lists.without([&](Row row) { return is_moved.test(row); }).lists)
    arrivals.before.lists.push_back(std::move(change));
  arrivals.before.centroids = std::move(centroids);
}

bool lie_apart(const IvfLists& lists, const MetricSpace& space, unsigned threads, const Arrivals& arrivals) {
  const Centroids& centroids = *arrivals.before.centroids;
  if (centroids.frame() == Frame::own) return false;
  // New lists, and the emptied ones, hold nothing but what arrives.
  std::vector<bool> is_fresh(centroids.count(), true);
  for (std::size_t l = 0; l < lists.lists.size(); ++l) is_fresh[l] = false;
  for (const auto& [list, changed] : arrivals.before.lists) is_fresh[list] = changed.size() == 0;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < arrivals.rows.size(); ++i)
    if (is_fresh[arrivals.labels[i]]) places.push_back(i);

  const std::size_t dim = centroids.dim();
  std::vector<Spread> spreads(centroids.count());
  std::vector<Row> rows;
  for (std::size_t first = 0; first < places.size(); first += most_points) {
    const std::span<const std::size_t> some =
        std::span(places).subspan(first, std::min(most_points, places.size() - first));
    rows.clear();
    for (const std::size_t i : some) rows.push_back(arrivals.rows[i]);
    const std::vector<float> points = points_of(space, rows, threads);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::uint32_t list = arrivals.labels[some[i]];
      ++spreads[list].rows;
      spreads[list].squares += square_between(points.data() + i * dim, centroids.positions().data() + list * dim, dim);
    }
  }
  return 2 * count_too_tight(centroids.positions(), spreads, centroids.middle()) > places.size();
}

}  // namespace lookalike
