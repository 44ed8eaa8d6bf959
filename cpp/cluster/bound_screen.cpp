#include "cluster/bound_screen.hpp"

#include <algorithm>
#include <bit>

#include "cluster/exact_argmin.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t panels_together = 32;  // of points
constexpr std::size_t points_ahead = 3;      // their rows come from memory

VectorsView view_of(const std::vector<std::int8_t>& codes, std::size_t length) {
  return {reinterpret_cast<const std::byte*>(codes.data()), Element::s8, codes.size() / length, length, length};
}

float square_of(const std::int8_t* code, std::size_t length) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < length; ++i) sum += code[i] * code[i];
  return static_cast<float>(sum);
}

void prefetch(std::span<const float> values, std::size_t first, std::size_t count) {
  for (std::size_t i = first; i < std::min(first + count, values.size()); i += 16) __builtin_prefetch(&values[i]);
}

/// Where a limit is infinite too, what is always measured is picked twice.
void sort_distinct(std::vector<Row>& picks) {
  std::sort(picks.begin(), picks.end());
  picks.erase(std::unique(picks.begin(), picks.end()), picks.end());
}

}  // namespace

BoundedPoints::BoundedPoints(const CentroidBounds& bounds, std::span<const float> rows, unsigned threads)
    : panels_(kernels().tile_bytes, rows.size() / bounds.vector_dim(), bounds.length()),
      roundings_(rows.size() / bounds.vector_dim()),
      squares_(roundings_.size()) {
  const std::size_t dim = bounds.vector_dim(), length = bounds.length();
  parallel_for((panels_.panels() + panels_together - 1) / panels_together, threads, [&](std::size_t task, unsigned) {
    const std::size_t last = std::min(panels_.panels(), (task + 1) * panels_together);
    const std::size_t first = panels_.first(task * panels_together);
    const std::size_t count = panels_.first(last - 1) + panels_.size(last - 1) - first;
    std::vector<std::int8_t> codes(count * length);
    bounds.encode(rows.subspan(first * dim, count * dim), codes.data(), roundings_.data() + first);
    for (std::size_t i = 0; i < count; ++i) squares_[first + i] = square_of(codes.data() + i * length, length);
    const VectorsView all = view_of(codes, length);
    for (std::size_t p = task * panels_together; p < last; ++p)
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
  std::vector<float> roundings(centroids.size() / dim);
  parallel_for(panels_.panels(), threads, [&](std::size_t p, unsigned) {
    const std::size_t first = panels_.first(p), count = panels_.size(p);
    std::vector<std::int8_t> codes(count * length);
    bounds.encode(centroids.subspan(first * dim, count * dim), codes.data(), roundings.data() + first);
    for (std::size_t i = 0; i < count; ++i) bias_[first + i] = square_of(codes.data() + i * length, length);
    panels_.pack(p, view_of(codes, length), nullptr);
  });
  std::vector<float> sorted = roundings;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  for (std::size_t c = 0; c < roundings.size(); ++c) {
    if (!(roundings[c] > 2 * *middle)) {
      rounding_ = std::max(rounding_, roundings[c]);
      continue;
    }
    bias_[c] = infinity;
    loose_.push_back(static_cast<Row>(c));
  }
}

/// A thread's: what may be the nearest of each point of a panel.
struct BoundScreen::Work {
  float limits[QueryPanels::most_queries];
  std::vector<Row> picks[QueryPanels::most_queries];
  std::vector<float> scratch;
};

/// The centroids whose bounds are nearest.
void BoundScreen::guess(const BoundedPoints& points, std::size_t panel, std::uint32_t* labels, Work& work) const {
  const TileKernel& tile = kernels().tile_bytes;
  float keys[QueryPanels::most_rows * QueryPanels::most_queries];
  std::uint32_t masks[QueryPanels::most_queries];
  const std::size_t count = points.panels().size(panel);
  std::fill_n(work.limits, QueryPanels::most_queries, -infinity);
  std::fill_n(work.limits, count, infinity);
  std::fill_n(labels, count, 0u);
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    const std::size_t first = panels_.first(p);
    std::uint32_t hit = tile.multiply(panels_.panel(p), points.panels().panel(panel), bounds_.length(),
                                      bias_.data() + first, scale_.data() + first, work.limits, keys, masks);
    for (; hit; hit &= hit - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(hit));
      if (i >= count) break;
      for (std::size_t lane = 0; lane < panels_.size(p); ++lane) {
        const float key = keys[i * tile.rows + lane];
        if (!(key < work.limits[i])) continue;
        work.limits[i] = key;
        labels[i] = static_cast<std::uint32_t>(first + lane);
      }
    }
  }
}

/// Picks the centroids that the limits do not rule out.
void BoundScreen::screen(const BoundedPoints& points, std::size_t panel, Work& work) const {
  const TileKernel& tile = kernels().tile_bytes;
  float keys[QueryPanels::most_rows * QueryPanels::most_queries];
  std::uint32_t masks[QueryPanels::most_queries];
  const std::size_t count = points.panels().size(panel);
  for (std::size_t i = 0; i < count; ++i) work.picks[i] = loose_;
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    const std::size_t first = panels_.first(p);
    std::uint32_t hit = tile.multiply(panels_.panel(p), points.panels().panel(panel), bounds_.length(),
                                      bias_.data() + first, scale_.data() + first, work.limits, keys, masks);
    for (; hit; hit &= hit - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(hit));
      if (i >= count) break;
      for (std::uint32_t mask = masks[i]; mask; mask &= mask - 1) {
        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
        if (lane < panels_.size(p)) work.picks[i].push_back(static_cast<Row>(first + lane));
      }
    }
  }
}

void BoundScreen::assign(const BoundedPoints& points, std::span<const float> rows, Guess guessed, unsigned threads,
                         std::span<std::uint32_t> labels, std::span<float> squares) const {
  if (threads == 0) threads = available_threads();
  const std::size_t dim = bounds_.vector_dim();
  std::vector<Work> works(threads);
  const std::size_t panels = points.panels().panels();
  parallel_for((panels + panels_together - 1) / panels_together, threads, [&](std::size_t task, unsigned worker) {
    Work& work = works[worker];
    for (std::size_t q = task * panels_together; q < std::min(panels, (task + 1) * panels_together); ++q) {
      const std::size_t first = points.panels().first(q), count = points.panels().size(q);
      if (guessed == Guess::none) guess(points, q, labels.data() + first, work);
      float known[QueryPanels::most_queries];
      std::fill_n(work.limits, QueryPanels::most_queries, -infinity);
      for (std::size_t i = 0; i < count; ++i) {
        prefetch(rows, (first + i + points_ahead) * dim, dim);
        known[i] =
            exact_argmin(rows.data() + (first + i) * dim, centroids_.data(), dim, {&labels[first + i], 1}, work.scratch)
                .square;
        const double most = static_cast<double>(known[i]) * (1 + 2 * static_cast<double>(square_error(dim)));
        work.limits[i] = bounds_.code_limit(most, points.rounding(first + i) + rounding_) - points.square(first + i);
      }
      screen(points, q, work);
      for (std::size_t i = 0; i < count; ++i) {
        if (!loose_.empty()) sort_distinct(work.picks[i]);
        if (work.picks[i].size() > 1) {
          const Nearest nearest =
              exact_argmin(rows.data() + (first + i) * dim, centroids_.data(), dim, work.picks[i], work.scratch);
          labels[first + i] = nearest.centroid;
          known[i] = nearest.square;
        }
        if (!squares.empty()) squares[first + i] = known[i];
      }
    }
  });
}

}  // namespace lookalike
