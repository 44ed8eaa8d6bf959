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

constexpr std::size_t clustered_dims = 128;   // leading directions rows are clustered by: more find no better lists
constexpr std::size_t points_together = 256;  // rows made points in one go

/// Rows as they lie along the few directions in which they differ most: neighbours there are neighbours, and clusters
/// are found in a fraction of the time.
class ClusteringProjection {
 public:
  ClusteringProjection(std::span<const float> sample, std::size_t dim, std::uint64_t seed, unsigned threads)
      : dim_(dim) {
    CenteredSample centered({sample.begin(), sample.end()}, dim, threads);
    mean_ = std::move(centered.mean);
    if (dim <= clustered_dims) return;
    directions_ = principal_directions(centered.rows, dim, clustered_dims, seed, threads);
  }

  std::size_t dim() const noexcept { return directions_.empty() ? dim_ : clustered_dims; }

  std::vector<float> of(const MetricSpace& space, std::span<const Row> rows, unsigned threads) const {
    std::vector<float> seen(rows.size() * dim());
    parallel_for((rows.size() + points_together - 1) / points_together, threads, [&](std::size_t task, unsigned) {
      const std::size_t first = task * points_together, size = std::min(points_together, rows.size() - first);
      std::vector<float> points(size * dim_);
      for (std::size_t i = 0; i < size; ++i) {
        float* const point = points.data() + i * dim_;
        space.write_point(rows[first + i], point);
        for (std::size_t d = 0; d < dim_; ++d) point[d] -= mean_[d];
      }
      space.has_read(rows.subspan(first, size));
      const std::span<float> out = std::span(seen).subspan(first * dim(), size * dim());
      if (directions_.empty()) {
        std::copy(points.begin(), points.end(), out.begin());
      } else {
        products(points, directions_, dim_, 1, out);
      }
    });
    return seen;
  }

  /// The point that is seen as `seen`, and lies nearest the mean.
  void write_point(const float* seen, float* point) const {
    std::copy(mean_.begin(), mean_.end(), point);
    for (std::size_t i = 0; i < dim(); ++i)
      for (std::size_t d = 0; d < dim_; ++d)
        point[d] += directions_.empty() ? (i == d ? seen[i] : 0) : seen[i] * directions_[i * dim_ + d];
  }

 private:
  std::size_t dim_;
  std::vector<float> mean_;
  std::vector<float> directions_;  // none where all coordinates are few
};

/// The means of the rows of each cluster, as points; where a cluster has none, what its centroid is seen as.
struct Centers {
  std::vector<float> positions;
  std::vector<Spread> spreads;
};

Centers centers_of(const MetricSpace& space, std::span<const Row> rows, const Clustering& clusters,
                   const ClusteringProjection& projection, unsigned threads) {
  const std::size_t dim = space.point_dim(), count = clusters.centroids.size() / projection.dim();
  std::vector<std::vector<Row>> members(count);
  for (std::size_t i = 0; i < rows.size(); ++i) members[clusters.labels[i]].push_back(rows[i]);
  Centers centers{std::vector<float>(count * dim), std::vector<Spread>(count)};
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
      squares += square_of(point);
    }
    space.has_read(members[c]);
    for (std::size_t d = 0; d < dim; ++d) {
      center[d] = static_cast<float>(sums[d] / size);
      squares -= sums[d] * sums[d] / size;
    }
    centers.spreads[c] = {members[c].size(), std::max(0.0, squares)};
  });
  return centers;
}

/// The frame that lists need: a shared one where it is too coarse for few rows only.
Frame frame_of(std::span<const float> centers, std::span<const Spread> spreads, std::span<const float> middle,
               std::size_t rows) {
  constexpr std::size_t few = 100;  // one in so many
  return count_too_tight(centers, spreads, middle) * few < rows ? Frame::shared : Frame::own;
}

/// About what codes of `rows` rows in so many lists take, with all there is beside them.
std::size_t bytes_with(std::size_t stride, std::size_t dim, std::size_t rows, std::size_t lists) {
  const std::size_t projected = std::min(dim, Encoder::room(CodeWidth::four, stride));
  const std::size_t code = projected / 2 + sizeof(CodeTail), id = sizeof(Row) + sizeof(std::int64_t);
  const std::size_t in_bytes_and_floats = sizeof(float) + 1;  // directions and centroids are told in both
  return rows * (code + id) + lists * (CodeBlock::rows / 2 * code + in_bytes_and_floats * (dim + projected)) +
         in_bytes_and_floats * dim * projected;
}

/// The longest codes with which nothing takes more than about a fifth of what the vectors would take as floats; and
/// would not if there were a few thousand rows, which are to come.
std::size_t longest_stride(std::size_t dim, std::size_t rows, const IvfSettings& settings) {
  constexpr double most = 0.19;
  constexpr std::size_t least_rows = 10000, step = 64;
  const std::size_t count = std::max(rows, least_rows), lists = list_count(settings, count);
  const double floats = static_cast<double>(count * dim * sizeof(float));
  std::size_t stride = Encoder::whole_stride(CodeWidth::four, dim);
  while (stride > step && static_cast<double>(bytes_with(stride, dim, count, lists)) > most * floats) stride -= step;
  return stride;
}

}  // namespace

std::size_t list_count(const IvfSettings& settings, std::size_t rows) {
  // So many that ranking them and scanning the nearest ones take about equally long.
  const double usual = std::max(1.0, 3 * std::sqrt(static_cast<double>(rows)));
  return std::min(settings.nlist ? settings.nlist : static_cast<std::size_t>(usual), rows);
}

std::vector<Row> drawn(std::span<const Row> rows, std::size_t count, std::uint64_t seed) {
  std::vector<Row> all(rows.begin(), rows.end());
  if (count >= all.size()) return all;
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random.next() % (all.size() - i)]);
  all.resize(count);
  std::sort(all.begin(), all.end());
  return all;
}

LearnedLists learn_lists(const MetricSpace& space, std::span<const Row> rows, const IvfSettings& settings,
                         const VectorStore& kept, unsigned threads, const LearningRoom& room,
                         std::optional<Frame> frame) {
  const std::size_t dim = space.point_dim();
  const std::vector<Row> few = drawn(rows, most_learned, settings.seed);
  std::vector<float> points = points_of(space, few, threads);
  const ClusteringProjection projection(points, dim, settings.seed, threads);

  KMeansSettings means;
  means.clusters = list_count(settings, rows.size());
  means.iterations = list_iterations;
  means.seed = settings.seed;
  const std::size_t most = std::max(means.clusters, room.sampled_floats / projection.dim());
  const std::vector<Row> sample = drawn(rows, std::min(means.clusters * sampled_per_list, most), settings.seed + 1);
  std::vector<float> seen = projection.of(space, sample, threads);
  const Clustering clusters = kmeans(seen, projection.dim(), means, threads);

  LearnedLists learned;
  learned.labels.resize(rows.size());
  const NearestCentroid nearest(clusters.centroids, projection.dim(), threads);
  const bool saw_all = sample.size() == rows.size();
  const std::size_t step = saw_all ? rows.size() : std::max(room.projected_floats / projection.dim(), points_together);
  for (std::size_t first = 0; first < rows.size(); first += step) {
    const std::size_t size = std::min(step, rows.size() - first);
    if (!saw_all) seen = projection.of(space, rows.subspan(first, size), threads);
    nearest.assign(seen, threads, std::span(learned.labels).subspan(first, size), {});
  }
  auto [centers, spreads] = centers_of(space, sample, clusters, projection, threads);
  std::vector<float> middle = middle_of(centers, dim);
  if (!frame) frame = frame_of(centers, spreads, middle, sample.size());

  const bool scans_codes = settings.wants_codes(kept);
  for (std::size_t i = 0, at = 0; i < few.size(); ++i) {
    while (rows[at] != few[i]) ++at;  // both ascend
    const float* const center = centers.data() + learned.labels[at] * dim;
    for (std::size_t d = 0; d < dim; ++d) points[i * dim + d] -= center[d];
  }
  // Without codes only for centroids, which are measured again.
  constexpr CodeForm of_centroids = {CodeWidth::four, 64};
  const std::optional<CodeWidth> width = settings.code_width();
  const auto encoder_of = [&](const CodeForm& form) { return Encoder(points, dim, form, settings.seed, threads); };
  Encoder encoder =
      !scans_codes ? encoder_of(of_centroids)
      : settings.forgets_vectors() && width != CodeWidth::one
          ? encoder_of({CodeWidth::four, longest_stride(dim, rows.size(), settings)})
          : learn_list_codes({space, rows, learned.labels, centers}, std::move(points), width, settings.seed, threads);
  const BlockForm blocks(encoder);
  for (std::size_t d = 0; d < dim; ++d) middle[d] += encoder.center()[d];
  Centroids centroids(std::move(centers), encoder, *frame, std::move(middle));
  learned.lists.quantizer = IvfQuantizer{std::move(encoder), blocks, std::move(centroids), scans_codes};
  learned.lists.lists.resize(means.clusters);
  learned.lists.length = space.length;
  learned.lists.trained_over = rows.size();
  return learned;
}

}  // namespace lookalike
