#include "bounds/row_bounds_sample.hpp"

#include <algorithm>
#include <cmath>

#include "base/array.hpp"
#include "bounds/cost_model.hpp"
#include "kernels/table.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t max_rows = 4096;
constexpr std::size_t max_queries = 64;  // rows of the sample that serve as queries

// Rough speeds; a factor of two does not matter.
constexpr double gathered_row_bytes_per_ns = 25;  // random access to rows
constexpr double row_latency_ns = 10;

/// Nanoseconds per distance.
double exact_cost(const VectorsView& rows) {
  const bool bytes = rows.element == Element::u8 || rows.element == Element::s8;
  return static_cast<double>(rows.dim) / (bytes ? byte_products_per_ns : float_products_per_ns);
}

}  // namespace

RowBoundsSample::RowBoundsSample(const VectorsView& rows, const float* scales)
    : dim_(rows.dim), count_(std::min(rows.count, max_rows)), center_(rows.dim), centered_(count_ * rows.dim) {
  const TileKernel& tile = kernels().tile_f32;  // pack_rows converts any element to floats
  Array<float> panel;
  panel.resize_for_overwrite(tile.row_panel_bytes(dim_) / sizeof(float));
  std::vector<double> sums(dim_, 0.0);
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t row = i * rows.count / count_;
    const std::byte* const vector = rows.row(row);
    tile.pack_rows(&vector, rows.element, 1, dim_, nullptr, panel.mutable_data());
    for (std::size_t d = 0; d < dim_; ++d) {
      const float x = panel[d * tile.rows] * (scales ? scales[row] : 1.0f);
      centered_[i * dim_ + d] = x;
      sums[d] += x;
    }
  }
  for (std::size_t d = 0; d < dim_; ++d)
    center_[d] = static_cast<float>(sums[d] / static_cast<double>(std::max<std::size_t>(count_, 1)));
  for (std::size_t i = 0; i < count_; ++i)
    for (std::size_t d = 0; d < dim_; ++d) centered_[i * dim_ + d] -= center_[d];
}

std::size_t RowBoundsSample::best_length(std::span<const float> directions, const VectorsView& rows,
                                         unsigned threads) const {
  constexpr std::size_t candidates[] = {16, 32, 48, 64, 96, 128, 192, 256};
  constexpr std::size_t neighbors = 10;
  const std::size_t max_length = directions.size() / dim_;
  std::vector<float> projected(max_length * count_);
  inner_products(directions, centered_, dim_, threads, projected);

  // The distance at which a query's 10th neighbour among all rows is expected, from its rank in the sample.
  const std::size_t queries = std::min(max_queries, count_ / 4), spacing = count_ / queries;
  const std::size_t rank = std::max<std::size_t>(1, neighbors * count_ / rows.count);
  std::vector<float> distances(queries * count_);
  std::vector<double> radius(queries);
  parallel_for(queries, threads, [&](std::size_t a, unsigned) {
    float* const out = distances.data() + a * count_;
    kernels().squared_l2_f32.scan(centered_.data() + a * spacing * dim_,
                                  reinterpret_cast<const std::byte*>(centered_.data()), dim_ * sizeof(float), count_,
                                  dim_, out);
    std::vector<float> sorted(out, out + count_);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank), sorted.end());
    radius[a] = std::sqrt(static_cast<double>(sorted[rank]));  // rank 0 is the row itself
    std::fill_n(out, count_, 0.0f);
  });

  double best_cost = 0.6 * exact_cost(rows), energy = 0;
  std::size_t length = 0, coordinate = 0;
  for (const std::size_t candidate : candidates) {
    if (candidate > max_length) break;
    for (; coordinate < candidate; ++coordinate) {
      const float* const along = projected.data() + coordinate * count_;
      for (std::size_t i = 0; i < count_; ++i) energy += static_cast<double>(along[i]) * along[i];
      parallel_for(queries, threads, [&](std::size_t a, unsigned) {
        float* const out = distances.data() + a * count_;
        const float query = along[a * spacing];
        for (std::size_t i = 0; i < count_; ++i) out[i] += (along[i] - query) * (along[i] - query);
      });
    }
    // With a step of 3 deviations / 127, a code's rounding error is about sqrt(length / 12) steps. Both codes have one.
    const double deviation = std::sqrt(energy / static_cast<double>(count_ * candidate));
    const double rounding_error = 2.4 * deviation * 3 / 127 * std::sqrt(static_cast<double>(candidate) / 12);
    std::size_t survivors = 0;
    for (std::size_t a = 0; a < queries; ++a) {
      const double limit = (radius[a] + rounding_error) * (radius[a] + rounding_error);
      const float* const out = distances.data() + a * count_;
      survivors += static_cast<std::size_t>(std::count_if(out, out + count_, [&](float d) { return d <= limit; }));
    }
    const double survivor_share = static_cast<double>(survivors) / static_cast<double>(queries * count_);
    const double gather =
        row_latency_ns + static_cast<double>(dim_ * element_size(rows.element)) / gathered_row_bytes_per_ns;
    const double cost = static_cast<double>(candidate) / byte_products_per_ns + survivor_share * gather;
    if (cost < best_cost) {
      best_cost = cost;
      length = candidate;
    }
  }
  return length;
}

double RowBoundsSample::deviation(std::span<const float> directions, unsigned threads) const {
  std::vector<float> projected(directions.size() / dim_ * count_);
  inner_products(directions, centered_, dim_, threads, projected);
  double energy = 0;
  for (const float x : projected) energy += static_cast<double>(x) * x;
  return std::sqrt(energy / static_cast<double>(projected.size()));
}

}  // namespace lookalike
