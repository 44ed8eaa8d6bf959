#include "quant/code_choice.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Recall is measured as 5@10: recalled_neighbors @ ranked_neighbors.
constexpr std::size_t query_rows = 96;
constexpr std::size_t neighborhood_size = 50;
constexpr std::size_t recalled_neighbors = 5;
constexpr std::size_t ranked_neighbors = 10;
constexpr std::size_t max_scanned_rows = 1 << 20;  // evenly spaced if there are more
constexpr std::size_t scan_batch = 1024;
constexpr std::size_t max_training_rows = 4096;

using DistanceAndRow = std::pair<float, Row>;

/// Merges `rows` into the sorted list of the nearest rows so far.
void merge_nearest(const MetricSpace& space, Row row, std::span<const Row> rows, std::vector<DistanceAndRow>& nearest) {
  std::vector<float> distances(rows.size());
  ScorerScratch scratch;
  space.row_scorer(row, scratch).measure(rows.data(), rows.size(), distances.data());
  const DistanceAndRow farthest = nearest.size() < neighborhood_size
                                      ? DistanceAndRow(std::numeric_limits<float>::infinity(), no_row)
                                      : nearest.back();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DistanceAndRow found(distances[i], rows[i]);
    if (rows[i] != row && found < farthest) nearest.push_back(found);
  }
  std::sort(nearest.begin(), nearest.end());
  nearest.resize(std::min(neighborhood_size, nearest.size()));
}

/// How many of a row's nearest neighbours are ranked first by codes. Ties keep the exact order.
std::size_t count_recalled(const Encoder& encoder, const Neighborhood& neighborhood,
                           function_ref<void(const Neighborhood&, float*)> write_points) {
  const std::size_t dim = encoder.dim(), count = neighborhood.neighbors.size();
  std::vector<float> points((count + 1) * dim), distances(count);
  write_points(neighborhood, points.data());
  std::vector<std::byte> codes(count * encoder.stride());
  encoder.encode(std::span(points).first(count * dim), codes.data());
  std::vector<Row> order(count);
  std::iota(order.begin(), order.end(), 0);
  ScorerScratch scratch;
  encoder.query_scorer(points.data() + count * dim, codes.data(), scratch)
      .measure(order.data(), count, distances.data());
  std::stable_sort(order.begin(), order.end(), [&](Row a, Row b) { return distances[a] < distances[b]; });
  order.resize(std::min(ranked_neighbors, count));
  return static_cast<std::size_t>(
      std::count_if(order.begin(), order.end(), [](Row i) { return i < recalled_neighbors; }));
}

}  // namespace

std::vector<Row> evenly_spaced_rows(std::size_t rows, std::size_t count) {
  std::vector<Row> spaced(std::min(rows, count));
  for (std::size_t i = 0; i < spaced.size(); ++i) spaced[i] = static_cast<Row>(i * rows / spaced.size());
  return spaced;
}

std::vector<float> points_of(const MetricSpace& space, std::span<const Row> rows, unsigned threads) {
  constexpr std::size_t points_per_task = 256;
  const std::size_t dim = space.point_dim();
  std::vector<float> points(rows.size() * dim);
  parallel_for((rows.size() + points_per_task - 1) / points_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * points_per_task, size = std::min(points_per_task, rows.size() - first);
    for (std::size_t i = first; i < first + size; ++i) space.write_point(rows[i], points.data() + i * dim);
    space.count_read(rows.subspan(first, size));
  });
  return points;
}

// Reads every row once, because rows may be in a file.
std::vector<Neighborhood> sample_neighborhoods(const MetricSpace& space, std::span<const Row> excluded,
                                               unsigned threads) {
  const std::size_t count = space.rows.count, step = count / max_scanned_rows + 1;
  std::vector<Row> others;
  for (std::size_t row = 0, next = 0; row < count; row += step) {
    while (next < excluded.size() && excluded[next] < row) ++next;
    if (next == excluded.size() || excluded[next] != row) others.push_back(static_cast<Row>(row));
  }
  std::vector<Neighborhood> neighborhoods(std::min(query_rows, others.size()));
  for (std::size_t i = 0; i < neighborhoods.size(); ++i)
    neighborhoods[i].row = others[i * others.size() / neighborhoods.size()];
  std::vector<std::vector<DistanceAndRow>> nearest(neighborhoods.size());
  for (std::size_t first = 0; first < others.size(); first += scan_batch) {
    const auto rows = std::span<const Row>(others).subspan(first, std::min(scan_batch, others.size() - first));
    parallel_for(neighborhoods.size(), threads,
                 [&](std::size_t i, unsigned) { merge_nearest(space, neighborhoods[i].row, rows, nearest[i]); });
    space.count_read(rows);
  }
  for (std::size_t i = 0; i < neighborhoods.size(); ++i)
    for (const DistanceAndRow& neighbor : nearest[i]) neighborhoods[i].neighbors.push_back(neighbor.second);
  return neighborhoods;
}

double neighbor_recall(const Encoder& encoder, std::span<const Neighborhood> neighborhoods,
                       function_ref<void(const Neighborhood&, float*)> write_points, unsigned threads) {
  std::vector<std::size_t> recalled(neighborhoods.size()), possible(neighborhoods.size());
  parallel_for(neighborhoods.size(), threads, [&](std::size_t i, unsigned) {
    recalled[i] = count_recalled(encoder, neighborhoods[i], write_points);
    possible[i] = std::min(recalled_neighbors, neighborhoods[i].neighbors.size());
  });
  const auto sum = [](const std::vector<std::size_t>& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  };
  return sum(possible) > 0 ? sum(recalled) / sum(possible) : 1;
}

std::optional<CodeFormat> choose_codes(std::span<const CodeWidth> widths, const MetricSpace& space, std::uint64_t seed,
                                       unsigned threads, const CodeQuality& quality) {
  constexpr std::size_t strides[] = {64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};
  const std::size_t dim = space.point_dim(), count = space.rows.count;
  const std::vector<Row> training_rows =
      evenly_spaced_rows(count, std::clamp<std::size_t>(count / 2, 1, max_training_rows));
  const std::vector<Neighborhood> neighborhoods = sample_neighborhoods(space, training_rows, threads);
  const CenteredSample sample(points_of(space, training_rows, threads), dim, threads);
  PrincipalDirections directions(sample.rows, dim, seed, threads);
  const auto encoder_of = [&](const CodeFormat& format) {
    const std::size_t dims = Encoder::kept_dims(dim, format);
    return Encoder(sample.mean, dims < dim ? directions.leading(dims) : std::span<const float>(), format, seed,
                   threads);
  };
  std::optional<CodeFormat> best;
  double best_recall = 0;
  for (const std::size_t stride : strides) {
    bool keeps_all_dims = false;
    for (const CodeWidth width : widths) {
      const bool fits_all_dims = Encoder::max_dims(width, stride) >= dim;
      // At the shortest stride, eight bits keep too few coordinates to compete with four.
      if (stride == strides[0] && width == CodeWidth::eight && widths.size() > 1 && !fits_all_dims) continue;
      CodeFormat format = {width, stride};
      format.inner_product = space.metric == Metric::ip;
      const double recall = neighbor_recall(encoder_of(format), neighborhoods, point_writer(space), threads);
      if (recall > best_recall) best_recall = recall, best = format;
      keeps_all_dims = keeps_all_dims || (fits_all_dims && width == widths.front());
    }
    if (best_recall >= quality.target_recall || keeps_all_dims) break;
  }
  return best_recall >= quality.min_recall ? best : std::nullopt;
}

}  // namespace lookalike
