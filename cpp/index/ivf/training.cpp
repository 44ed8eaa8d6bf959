#include "index/ivf/training.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/random.hpp"
#include "cluster/kmeans.hpp"
#include "cluster/nearest_centroid.hpp"
#include "index/ivf/codes.hpp"
#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t clustering_dims = 128;  // more principal directions do not improve the lists
constexpr std::size_t points_batch = 256;     // rows converted to points at a time

/// Projects points onto their leading principal directions. This mostly preserves neighbours and makes clustering
/// several times faster.
class ClusteringProjection {
 public:
  ClusteringProjection(std::span<const float> sample, std::size_t dim, std::uint64_t seed, unsigned threads)
      : dim_(dim) {
    CenteredSample centered({sample.begin(), sample.end()}, dim, threads);
    mean_ = std::move(centered.mean);
    if (dim <= clustering_dims) return;
    directions_ = principal_directions(centered.rows, dim, clustering_dims, seed, threads);
  }

  std::size_t dim() const noexcept { return directions_.empty() ? dim_ : clustering_dims; }

  std::vector<float> project(const MetricSpace& space, std::span<const Row> rows, unsigned threads) const {
    std::vector<float> projected(rows.size() * dim());
    parallel_for((rows.size() + points_batch - 1) / points_batch, threads, [&](std::size_t task, unsigned) {
      const std::size_t first = task * points_batch, size = std::min(points_batch, rows.size() - first);
      std::vector<float> points(size * dim_);
      for (std::size_t i = 0; i < size; ++i) {
        float* const point = points.data() + i * dim_;
        space.write_point(rows[first + i], point);
        for (std::size_t d = 0; d < dim_; ++d) point[d] -= mean_[d];
      }
      space.count_read(rows.subspan(first, size));
      const std::span<float> out = std::span(projected).subspan(first * dim(), size * dim());
      if (directions_.empty()) {
        std::copy(points.begin(), points.end(), out.begin());
      } else {
        inner_products(points, directions_, dim_, 1, out);
      }
    });
    return projected;
  }

  /// Writes the point nearest to the mean that has this projection.
  void write_point(const float* projected, float* point) const {
    std::copy(mean_.begin(), mean_.end(), point);
    for (std::size_t i = 0; i < dim(); ++i)
      for (std::size_t d = 0; d < dim_; ++d)
        point[d] += directions_.empty() ? (i == d ? projected[i] : 0) : projected[i] * directions_[i * dim_ + d];
  }

 private:
  std::size_t dim_;
  std::vector<float> mean_;
  std::vector<float> directions_;  // empty if there are at most clustering_dims coordinates
};

/// Centroids in the full space: the mean of the points of each cluster, or for an empty one its centroid projected
/// back.
struct Centers {
  std::vector<float> positions;
  std::vector<ListSpread> spreads;
};

Centers centers_of(const MetricSpace& space, std::span<const Row> rows, const Clustering& clusters,
                   const ClusteringProjection& projection, unsigned threads) {
  const std::size_t dim = space.point_dim(), count = clusters.centroids.size() / projection.dim();
  std::vector<std::vector<Row>> members(count);
  for (std::size_t i = 0; i < rows.size(); ++i) members[clusters.labels[i]].push_back(rows[i]);
  Centers centers{std::vector<float>(count * dim), std::vector<ListSpread>(count)};
  parallel_for(count, threads, [&](std::size_t c, unsigned) {
    float* const center = centers.positions.data() + c * dim;
    if (members[c].empty()) return projection.write_point(clusters.centroids.data() + c * projection.dim(), center);
    const double size = static_cast<double>(members[c].size());
    std::vector<double> sums(dim);
    double squares = 0;
    std::vector<float> point(dim);
    for (const Row row : members[c]) {
      space.write_point(row, point.data());
      for (std::size_t d = 0; d < dim; ++d) sums[d] += point[d];
      squares += squared_norm(point);
    }
    space.count_read(members[c]);
    for (std::size_t d = 0; d < dim; ++d) {
      center[d] = static_cast<float>(sums[d] / size);
      squares -= sums[d] * sums[d] / size;
    }
    centers.spreads[c] = {members[c].size(), std::max(0.0, squares)};
  });
  return centers;
}

/// Chooses a shared frame if fewer than one row in a hundred is in a list too tight for it.
Frame frame_of(std::span<const float> centers, std::span<const ListSpread> spreads, std::span<const float> origin,
               std::size_t rows) {
  constexpr std::size_t rows_per_tight_row = 100;
  return count_rows_in_tight_lists(centers, spreads, origin) * rows_per_tight_row < rows ? Frame::shared
                                                                                         : Frame::per_list;
}

/// The approximate size of an index with keep='none': codes, ids, centroids and directions.
std::size_t index_bytes(std::size_t stride, std::size_t dim, std::size_t rows, std::size_t lists) {
  const std::size_t projected = std::min(dim, Encoder::max_dims(CodeWidth::four, stride));
  const std::size_t code = projected / 2 + sizeof(CodeTail), id = sizeof(Row) + sizeof(std::int64_t);
  const std::size_t in_bytes_and_floats = sizeof(float) + 1;  // directions and centroids are stored as both
  return rows * (code + id) + lists * (CodeBlock::rows / 2 * code + in_bytes_and_floats * (dim + projected)) +
         in_bytes_and_floats * dim * projected;
}

/// The longest codes with which the index takes at most about a fifth of the size of f32 vectors. Small indexes are
/// sized for `min_rows` rows, because more rows are likely to follow.
std::size_t max_code_stride(std::size_t dim, std::size_t rows, const IvfSettings& settings) {
  constexpr double max_share = 0.19;
  constexpr std::size_t min_rows = 10000, step = 64;
  const std::size_t count = std::max(rows, min_rows), lists = list_count(settings, count);
  const double floats = static_cast<double>(count * dim * sizeof(float));
  std::size_t stride = Encoder::full_dim_stride(CodeWidth::four, dim);
  while (stride > step && static_cast<double>(index_bytes(stride, dim, count, lists)) > max_share * floats)
    stride -= step;
  return stride;
}

}  // namespace

std::size_t list_count(const IvfSettings& settings, std::size_t rows) {
  // With this many lists, ranking centroids and scanning lists take about the same time.
  const double default_count = std::max(1.0, 3 * std::sqrt(static_cast<double>(rows)));
  return std::min(settings.nlist ? settings.nlist : static_cast<std::size_t>(default_count), rows);
}

std::vector<Row> sampled_rows(std::span<const Row> rows, std::size_t count, std::uint64_t seed) {
  std::vector<Row> all(rows.begin(), rows.end());
  if (count >= all.size()) return all;
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.next() % (all.size() - i)]);
  all.resize(count);
  std::sort(all.begin(), all.end());
  return all;
}

TrainedLists train_lists(const MetricSpace& space, std::span<const Row> rows, const IvfSettings& settings,
                         const VectorStore& stored, unsigned threads, const TrainingMemory& memory,
                         std::optional<Frame> frame) {
  const std::size_t dim = space.point_dim();
  const std::vector<Row> training_rows = sampled_rows(rows, max_training_rows, settings.seed);
  std::vector<float> points = points_of(space, training_rows, threads);
  const ClusteringProjection projection(points, dim, settings.seed, threads);

  KMeansSettings kmeans_settings;
  kmeans_settings.clusters = list_count(settings, rows.size());
  kmeans_settings.iterations = kmeans_iterations;
  kmeans_settings.seed = settings.seed;
  const std::size_t max_sample = std::max(kmeans_settings.clusters, memory.sampled_floats / projection.dim());
  const std::vector<Row> sample =
      sampled_rows(rows, std::min(kmeans_settings.clusters * sample_rows_per_list, max_sample), settings.seed + 1);
  std::vector<float> projected = projection.project(space, sample, threads);
  const Clustering clusters = kmeans(projected, projection.dim(), kmeans_settings, threads);

  TrainedLists trained;
  trained.labels.resize(rows.size());
  const NearestCentroid nearest(clusters.centroids, projection.dim(), threads);
  const bool sampled_all = sample.size() == rows.size();
  const std::size_t batch =
      sampled_all ? rows.size() : std::max(memory.projected_floats / projection.dim(), points_batch);
  for (std::size_t first = 0; first < rows.size(); first += batch) {
    const std::size_t size = std::min(batch, rows.size() - first);
    if (!sampled_all) projected = projection.project(space, rows.subspan(first, size), threads);
    nearest.assign(projected, threads, std::span(trained.labels).subspan(first, size), {});
  }
  auto [centers, spreads] = centers_of(space, sample, clusters, projection, threads);
  std::vector<float> origin = coordinate_medians(centers, dim);
  if (!frame) frame = frame_of(centers, spreads, origin, sample.size());

  const bool scans_codes = settings.uses_codes(stored);
  for (std::size_t i = 0, at = 0; i < training_rows.size(); ++i) {
    while (rows[at] != training_rows[i]) ++at;  // both are sorted
    const float* const center = centers.data() + trained.labels[at] * dim;
    for (std::size_t d = 0; d < dim; ++d) points[i * dim + d] -= center[d];
  }
  // If vectors are scanned, the encoder is used only to preselect centroids, for which short codes suffice.
  constexpr CodeFormat centroid_only = {CodeWidth::four, 64};
  const std::optional<CodeWidth> width = settings.code_width();
  const auto encoder_of = [&](const CodeFormat& form) { return Encoder(points, dim, form, settings.seed, threads); };
  Encoder encoder =
      !scans_codes ? encoder_of(centroid_only)
      : settings.keeps_only_codes() && width != CodeWidth::one
          ? encoder_of({CodeWidth::four, max_code_stride(dim, rows.size(), settings)})
          : train_list_codes({space, rows, trained.labels, centers}, std::move(points), width, settings.seed, threads);
  const BlockLayout blocks(encoder);
  for (std::size_t d = 0; d < dim; ++d) origin[d] += encoder.center()[d];
  Centroids centroids(std::move(centers), encoder, *frame, std::move(origin));
  trained.lists.quantizer = IvfQuantizer{std::move(encoder), blocks, std::move(centroids), scans_codes};
  trained.lists.lists.resize(kmeans_settings.clusters);
  trained.lists.augmented_norm = space.augmented_norm;
  trained.lists.trained_rows = rows.size();
  return trained;
}

}  // namespace lookalike
