#include "cluster/float_screen.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "cluster/exact_argmin.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr float max_measurable = 1e36f;
constexpr std::size_t cache_bytes = 384 * 1024;  // a block of packed centroids stays in the L2 cache
constexpr std::size_t points_per_task = 240;

std::vector<float> mean_of(std::span<const float> rows, std::size_t dim) {
  std::vector<double> sums(dim, 0.0);
  for (std::size_t i = 0; i < rows.size(); i += dim)
    for (std::size_t d = 0; d < dim; ++d) sums[d] += rows[i + d];
  std::vector<float> mean(dim);
  for (std::size_t d = 0; d < dim; ++d) mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows.size() / dim));
  return mean;
}

}  // namespace

/// A thread's candidates for the nearest centroids of a chunk of points.
struct FloatScreen::Scratch {
  struct Candidate {
    float key;  // lower bound of |c|^2 - 2 <x, c>
    Row centroid;
  };
  std::vector<float> limits;        // per point: the smallest upper bound of |c|^2 - 2 <x, c> so far
  std::vector<float> error_widths;  // per point: the error bound of its products
  std::vector<std::vector<Candidate>> candidates;
  std::vector<Row> picks;
  std::vector<float> buffer;

  void prepare(std::span<const float> rows, std::size_t dim, const float* center) {
    const std::size_t count = rows.size() / dim;
    limits.assign(count + QueryPanels::max_panel_queries, infinity);
    std::fill(limits.begin() + static_cast<std::ptrdiff_t>(count), limits.end(), -infinity);
    error_widths.resize(count);
    candidates.resize(std::max(candidates.size(), count));
    for (std::size_t i = 0; i < count; ++i) {
      candidates[i].clear();
      float square = 0;
      for (std::size_t d = 0; d < dim; ++d) {
        const float x = rows[i * dim + d] - center[d];
        square += x * x;
      }
      error_widths[i] = square_error(dim) * square * 2 + static_cast<float>(dim) * std::numeric_limits<float>::min();
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
  error_widths_.assign(bias_.size(), 0);
  scale_.assign(bias_.size(), 2);
  parallel_for(panels_.panels(), threads, [&](std::size_t p, unsigned) {
    panels_.pack(p, view_of(centroids_.subspan(panels_.first(p) * dim_), dim_), center_.data());
    float sums[QueryPanels::max_panel_rows], squares[QueryPanels::max_panel_rows];
    tile.row_sums(panels_.panel(p), dim_, sums, squares);
    for (std::size_t i = 0; i < panels_.size(p); ++i) {
      const float error = 2 * square_error(dim_) * squares[i];
      bias_[panels_.first(p) + i] = squares[i] - error;
      error_widths_[panels_.first(p) + i] = 2 * error;
    }
  });
  for (const float bias : bias_)
    if (bias < infinity && !(bias < max_measurable)) is_measurable_ = false;
  is_measurable_ =
      is_measurable_ && std::all_of(error_widths_.begin(), error_widths_.end(), [](float w) { return w < infinity; });
}

// Loops over blocks of centroids that fit the cache.
void FloatScreen::screen(const QueryPanels& points, std::size_t count, Scratch& scratch) const {
  const TileKernel& tile = kernels().tile_f32;
  const std::size_t block_panels = std::max<std::size_t>(1, cache_bytes / panels_.panel_bytes());
  float keys[QueryPanels::max_panel_rows * QueryPanels::max_panel_queries];
  std::uint32_t masks[QueryPanels::max_panel_queries];
  for (std::size_t block = 0; block < panels_.panels(); block += block_panels)
    for (std::size_t q = 0; q < points.panels(); ++q)
      for (std::size_t p = block; p < std::min(panels_.panels(), block + block_panels); ++p) {
        const std::size_t first = points.first(q), row = panels_.first(p);
        std::uint32_t hit = tile.multiply(panels_.panel(p), points.panel(q), dim_, bias_.data() + row,
                                          scale_.data() + row, scratch.limits.data() + first, keys, masks);
        for (; hit; hit &= hit - 1) {
          const auto i = static_cast<std::size_t>(std::countr_zero(hit));
          if (first + i >= count) break;
          float& limit = scratch.limits[first + i];
          for (std::uint32_t mask = masks[i]; mask; mask &= mask - 1) {
            const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
            const float key = keys[i * tile.rows + lane];
            if (lane >= panels_.size(p) || key > limit) continue;
            scratch.candidates[first + i].push_back({key, static_cast<Row>(row + lane)});
            limit = std::min(limit, key + error_widths_[row + lane] + 2 * scratch.error_widths[first + i]);
          }
        }
      }
}

void FloatScreen::assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
                         std::span<float> squares) const {
  const std::size_t count = labels.size();
  if (threads == 0) threads = available_threads();
  std::vector<Scratch> scratches(threads);
  parallel_for((count + points_per_task - 1) / points_per_task, threads, [&](std::size_t task, unsigned worker) {
    Scratch& scratch = scratches[worker];
    const std::size_t begin = task * points_per_task, size = std::min(points_per_task, count - begin);
    const std::span<const float> chunk = rows.subspan(begin * dim_, size * dim_);
    scratch.prepare(chunk, dim_, center_.data());
    QueryPanels points(kernels().tile_f32, size, dim_);
    for (std::size_t q = 0; q < points.panels(); ++q)
      points.pack(q, view_of(chunk.subspan(points.first(q) * dim_), dim_), center_.data());
    if (is_measurable_) screen(points, size, scratch);
    for (std::size_t i = 0; i < size; ++i) {
      const float* const point = chunk.data() + i * dim_;
      scratch.picks.clear();
      for (const Scratch::Candidate& candidate : scratch.candidates[i])
        if (!(candidate.key > scratch.limits[i])) scratch.picks.push_back(candidate.centroid);
      const bool has_candidates = is_measurable_ && scratch.error_widths[i] < max_measurable && !scratch.picks.empty();
      const CentroidMatch nearest =
          has_candidates ? exact_argmin(point, centroids_.data(), dim_, scratch.picks, scratch.buffer)
                         : exact_argmin_all(point, centroids_.data(), dim_, centroids_.size() / dim_, scratch.buffer);
      labels[begin + i] = nearest.centroid;
      if (!squares.empty()) squares[begin + i] = nearest.square;
    }
  });
}

}  // namespace lookalike
