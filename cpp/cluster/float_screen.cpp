#include "cluster/float_screen.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "cluster/exact_argmin.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr float largest_measurable = 1e36f;
constexpr std::size_t cache_bytes = 384 * 1024;  // of packed centroids: they stay in the second cache as points pass
constexpr std::size_t points_together = 240;

std::vector<float> mean_of(std::span<const float> rows, std::size_t dim) {
  std::vector<double> sums(dim, 0.0);
  for (std::size_t i = 0; i < rows.size(); i += dim)
    for (std::size_t d = 0; d < dim; ++d) sums[d] += rows[i + d];
  std::vector<float> mean(dim);
  for (std::size_t d = 0; d < dim; ++d) mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows.size() / dim));
  return mean;
}

}  // namespace

/// A thread's: what may be the nearest of each point of a chunk.
struct FloatScreen::Work {
  struct Candidate {
    float key;  // at most |c|^2 - 2 <x, c>, whatever rounding did
    Row centroid;
  };
  std::vector<float> limits, widths;  // a point's smallest upper bound of such; what rounding may add to it
  std::vector<std::vector<Candidate>> candidates;
  std::vector<Row> picks;
  std::vector<float> scratch;

  void prepare(std::span<const float> rows, std::size_t dim, const float* center) {
    const std::size_t count = rows.size() / dim;
    limits.assign(count + QueryPanels::most_queries, infinity);
    std::fill(limits.begin() + static_cast<std::ptrdiff_t>(count), limits.end(), -infinity);
    widths.resize(count);
    candidates.resize(std::max(candidates.size(), count));
    for (std::size_t i = 0; i < count; ++i) {
      candidates[i].clear();
      float square = 0;
      for (std::size_t d = 0; d < dim; ++d) {
        const float x = rows[i * dim + d] - center[d];
        square += x * x;
      }
      widths[i] = square_error(dim) * square * 2 + static_cast<float>(dim) * std::numeric_limits<float>::min();
    }
  }
};

FloatScreen::FloatScreen(std::span<const float> centroids, std::size_t dim, unsigned threads)
    : centroids_(centroids),
      dim_(dim),
      center_(mean_of(centroids, dim)),
      panels_(kernels().tile_f32, centroids.size() / dim, dim) {
  const TileKernel& tile = kernels().tile_f32;
  bias_.assign(panels_.panels() * tile.rows, infinity);
  widths_.assign(bias_.size(), 0);
  scale_.assign(bias_.size(), 2);
  parallel_for(panels_.panels(), threads, [&](std::size_t p, unsigned) {
    panels_.pack(p, view_of(centroids_.subspan(panels_.first(p) * dim_), dim_), center_.data());
    float sums[QueryPanels::most_rows], squares[QueryPanels::most_rows];
    tile.row_sums(panels_.panel(p), dim_, sums, squares);
    for (std::size_t i = 0; i < panels_.size(p); ++i) {
      const float width = 2 * square_error(dim_) * squares[i];
      bias_[panels_.first(p) + i] = squares[i] - width;
      widths_[panels_.first(p) + i] = 2 * width;
    }
  });
  for (const float bias : bias_)
    if (bias < infinity && !(bias < largest_measurable)) is_measurable_ = false;
  is_measurable_ = is_measurable_ && std::all_of(widths_.begin(), widths_.end(), [](float w) { return w < infinity; });
}

/// Multiplies `count` points by all centroids, a block of centroids at a time.
void FloatScreen::screen(const QueryPanels& points, std::size_t count, Work& work) const {
  const TileKernel& tile = kernels().tile_f32;
  const std::size_t together = std::max<std::size_t>(1, cache_bytes / panels_.panel_bytes());
  float keys[QueryPanels::most_rows * QueryPanels::most_queries];
  std::uint32_t masks[QueryPanels::most_queries];
  for (std::size_t block = 0; block < panels_.panels(); block += together)
    for (std::size_t q = 0; q < points.panels(); ++q)
      for (std::size_t p = block; p < std::min(panels_.panels(), block + together); ++p) {
        const std::size_t first = points.first(q), row = panels_.first(p);
        std::uint32_t hit = tile.multiply(panels_.panel(p), points.panel(q), dim_, bias_.data() + row,
                                          scale_.data() + row, work.limits.data() + first, keys, masks);
        for (; hit; hit &= hit - 1) {
          const auto i = static_cast<std::size_t>(std::countr_zero(hit));
          if (first + i >= count) break;
          float& limit = work.limits[first + i];
          for (std::uint32_t mask = masks[i]; mask; mask &= mask - 1) {
            const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
            const float key = keys[i * tile.rows + lane];
            if (lane >= panels_.size(p) || key > limit) continue;
            work.candidates[first + i].push_back({key, static_cast<Row>(row + lane)});
            limit = std::min(limit, key + widths_[row + lane] + 2 * work.widths[first + i]);
          }
        }
      }
}

void FloatScreen::assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
                         std::span<float> squares) const {
  const std::size_t count = labels.size();
  if (threads == 0) threads = available_threads();
  std::vector<Work> works(threads);
  parallel_for((count + points_together - 1) / points_together, threads, [&](std::size_t task, unsigned worker) {
    Work& work = works[worker];
    const std::size_t begin = task * points_together, size = std::min(points_together, count - begin);
    const std::span<const float> mine = rows.subspan(begin * dim_, size * dim_);
    work.prepare(mine, dim_, center_.data());
    QueryPanels points(kernels().tile_f32, size, dim_);
    for (std::size_t q = 0; q < points.panels(); ++q)
      points.pack(q, view_of(mine.subspan(points.first(q) * dim_), dim_), center_.data());
    if (is_measurable_) screen(points, size, work);
    for (std::size_t i = 0; i < size; ++i) {
      const float* const point = mine.data() + i * dim_;
      work.picks.clear();
      for (const Work::Candidate& candidate : work.candidates[i])
        if (!(candidate.key > work.limits[i])) work.picks.push_back(candidate.centroid);
      const bool is_settled = is_measurable_ && work.widths[i] < largest_measurable && !work.picks.empty();
      const Nearest nearest =
          is_settled ? exact_argmin(point, centroids_.data(), dim_, work.picks, work.scratch)
                     : exact_argmin_all(point, centroids_.data(), dim_, centroids_.size() / dim_, work.scratch);
      labels[begin + i] = nearest.centroid;
      if (!squares.empty()) squares[begin + i] = nearest.square;
    }
  });
}

}  // namespace lookalike
