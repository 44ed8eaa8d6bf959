#include "cluster/bound_screen.hpp"

#include <algorithm>
#include <bit>

#include "cluster/exact_argmin.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t panels_per_task = 32;
constexpr std::size_t prefetch_distance = 3;  // points

VectorsView view_of(const std::vector<std::int8_t>& codes, std::size_t length) {
  return {reinterpret_cast<const std::byte*>(codes.data()), Element::s8, codes.size() / length, length, length};
}

float squared_norm(const std::int8_t* code, std::size_t length) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += code[i] * code[i];
  return static_cast<float>(sum);
}

void prefetch(std::span<const float> values, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < std::min(first + count, values.size()); i += 16) __builtin_prefetch(&values[i]);
}

/// An outlier is picked twice if the limit is infinite.
void sort_unique(std::vector<Row>& picks) {
  std::sort(picks.begin(), picks.end());
  picks.erase(std::unique(picks.begin(), picks.end()), picks.end());
}

}  // namespace

EncodedPoints::EncodedPoints(const CentroidBounds& bounds, std::span<const float> rows, unsigned threads)
    : panels_(kernels().tile_bytes, rows.size() / bounds.vector_dim(), bounds.length()),
      rounding_errors_(rows.size() / bounds.vector_dim()),
      squares_(rounding_errors_.size()) {
  const std::size_t dim = bounds.vector_dim(), length = bounds.length();
  parallel_for((panels_.panels() + panels_per_task - 1) / panels_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t last = std::min(panels_.panels(), (task + 1) * panels_per_task);
    const std::size_t first = panels_.first(task * panels_per_task);
    const std::size_t count = panels_.first(last - 1) + panels_.size(last - 1) - first;
    std::vector<std::int8_t> codes(count * length);
    bounds.encode(rows.subspan(first * dim, count * dim), codes.data(), rounding_errors_.data() + first);
    for (std::size_t i = 0; i < count; ++i) squares_[first + i] = squared_norm(codes.data() + i * length, length);
    const VectorsView all = view_of(codes, length);
    for (std::size_t p = task * panels_per_task; p < last; ++p)
      panels_.pack(p, all.slice(panels_.first(p) - first, panels_.size(p)), nullptr);
  });
}

BoundScreen::BoundScreen(const CentroidBounds& bounds, std::span<const float> centroids, unsigned threads)
    : bounds_(bounds),
      centroids_(centroids),
      panels_(kernels().tile_bytes, centroids.size() / bounds.vector_dim(), bounds.length()),
      bias_(panels_.panels() * kernels().tile_bytes.rows, infinity),
      scale_(bias_.size(), 2) {
  const std::size_t dim = bounds.vector_dim(), length = bounds.length();
  std::vector<float> rounding_errors(centroids.size() / dim);
  parallel_for(panels_.panels(), threads, [&](std::size_t p, unsigned) {
    const std::size_t first = panels_.first(p), count = panels_.size(p);
    std::vector<std::int8_t> codes(count * length);
    bounds.encode(centroids.subspan(first * dim, count * dim), codes.data(), rounding_errors.data() + first);
    for (std::size_t i = 0; i < count; ++i) bias_[first + i] = squared_norm(codes.data() + i * length, length);
    panels_.pack(p, view_of(codes, length), nullptr);
  });
  std::vector<float> sorted = rounding_errors;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  for (std::size_t c = 0; c < rounding_errors.size(); ++c) {
    if (!(rounding_errors[c] > 2 * *middle)) {
      max_rounding_error_ = std::max(max_rounding_error_, rounding_errors[c]);
      continue;
    }
    bias_[c] = infinity;
    outliers_.push_back(static_cast<Row>(c));
  }
}

/// A thread's candidates for the nearest centroids of a panel of points.
struct BoundScreen::Scratch {
  float limits[QueryPanels::max_panel_queries];
  std::vector<Row> picks[QueryPanels::max_panel_queries];
  std::vector<float> buffer;
};

void BoundScreen::guess_labels(const EncodedPoints& points, std::size_t panel, std::uint32_t* labels,
                               Scratch& scratch) const {
  const TileKernel& tile = kernels().tile_bytes;
  float keys[QueryPanels::max_panel_rows * QueryPanels::max_panel_queries];
  std::uint32_t masks[QueryPanels::max_panel_queries];
  const std::size_t count = points.panels().size(panel);
  std::fill_n(scratch.limits, QueryPanels::max_panel_queries, -infinity);
  std::fill_n(scratch.limits, count, infinity);
  std::fill_n(labels, count, 0u);
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    const std::size_t first = panels_.first(p);
    std::uint32_t hit = tile.multiply(panels_.panel(p), points.panels().panel(panel), bounds_.length(),
                                      bias_.data() + first, scale_.data() + first, scratch.limits, keys, masks);
    for (; hit; hit &= hit - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(hit));
      if (i >= count) break;
      for (std::size_t lane = 0; lane < panels_.size(p); ++lane) {
        const float key = keys[i * tile.rows + lane];
        if (!(key < scratch.limits[i])) continue;
        scratch.limits[i] = key;
        labels[i] = static_cast<std::uint32_t>(first + lane);
      }
    }
  }
}

void BoundScreen::screen(const EncodedPoints& points, std::size_t panel, Scratch& scratch) const {
  const TileKernel& tile = kernels().tile_bytes;
  float keys[QueryPanels::max_panel_rows * QueryPanels::max_panel_queries];
  std::uint32_t masks[QueryPanels::max_panel_queries];
  const std::size_t count = points.panels().size(panel);
  for (std::size_t i = 0; i < count; ++i) scratch.picks[i] = outliers_;
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    const std::size_t first = panels_.first(p);
    std::uint32_t hit = tile.multiply(panels_.panel(p), points.panels().panel(panel), bounds_.length(),
                                      bias_.data() + first, scale_.data() + first, scratch.limits, keys, masks);
    for (; hit; hit &= hit - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(hit));
      if (i >= count) break;
      for (std::uint32_t mask = masks[i]; mask; mask &= mask - 1) {
        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
        if (lane < panels_.size(p)) scratch.picks[i].push_back(static_cast<Row>(first + lane));
      }
    }
  }
}

void BoundScreen::assign(const EncodedPoints& points, std::span<const float> rows, Guess guess, unsigned threads,
                         std::span<std::uint32_t> labels, std::span<float> squares) const {
  if (threads == 0) threads = available_threads();
  const std::size_t dim = bounds_.vector_dim();
  std::vector<Scratch> scratches(threads);
  const std::size_t panels = points.panels().panels();
  parallel_for((panels + panels_per_task - 1) / panels_per_task, threads, [&](std::size_t task, unsigned worker) {
    Scratch& scratch = scratches[worker];
    for (std::size_t q = task * panels_per_task; q < std::min(panels, (task + 1) * panels_per_task); ++q) {
      const std::size_t first = points.panels().first(q), count = points.panels().size(q);
      if (guess == Guess::none) guess_labels(points, q, labels.data() + first, scratch);
      float squared_distance[QueryPanels::max_panel_queries];
      std::fill_n(scratch.limits, QueryPanels::max_panel_queries, -infinity);
      for (std::size_t i = 0; i < count; ++i) {
        prefetch(rows, (first + i + prefetch_distance) * dim, dim);
        squared_distance[i] = exact_argmin(rows.data() + (first + i) * dim, centroids_.data(), dim,
                                           {&labels[first + i], 1}, scratch.buffer)
                                  .square;
        const double max_square =
            static_cast<double>(squared_distance[i]) * (1 + 2 * static_cast<double>(square_error(dim)));
        scratch.limits[i] = bounds_.code_limit(max_square, points.rounding_error(first + i) + max_rounding_error_) -
                            points.square(first + i);
      }
      screen(points, q, scratch);
      for (std::size_t i = 0; i < count; ++i) {
        if (!outliers_.empty()) sort_unique(scratch.picks[i]);
        if (scratch.picks[i].size() > 1) {
          const CentroidMatch nearest =
              exact_argmin(rows.data() + (first + i) * dim, centroids_.data(), dim, scratch.picks[i], scratch.buffer);
          labels[first + i] = nearest.centroid;
          squared_distance[i] = nearest.square;
        }
        if (!squares.empty()) squares[first + i] = squared_distance[i];
      }
    }
  });
}

}  // namespace lookalike
