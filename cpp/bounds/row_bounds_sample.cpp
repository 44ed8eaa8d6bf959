#include "bounds/row_bounds_sample.hpp"

#include <algorithm>
#include <cmath>

#include "base/array.hpp"
#include "kernels/table.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t most_rows = 4096;
constexpr std::size_t asked_rows = 64;  // of the sample, searched for as queries

// Rough costs in nanoseconds, which need only be right to a factor of two.
constexpr double bytes_multiplied = 200;  // elements a nanosecond, byte tiles
constexpr double floats_multiplied = 55;
constexpr double bytes_gathered = 25;  // bytes a nanosecond, rows picked here and there
constexpr double gather_latency = 10;

double plain_cost(const VectorsView& rows) {
  const bool bytes = rows.element == Element::u8 || rows.element == Element::s8;
  return static_cast<double>(rows.dim) / (bytes ? bytes_multiplied : floats_multiplied);
}

}  // namespace

RowBoundsSample::RowBoundsSample(const VectorsView& rows, const float* scales)
    : dim_(rows.dim), count_(std::min(rows.count, most_rows)), center_(rows.dim), centered_(count_ * rows.dim) {
  const TileKernel& tile = kernels().tile_f32;  // packing one row is the tiles' own way to floats
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
  constexpr std::size_t lengths[] = {16, 32, 48, 64, 96, 128, 192, 256};
  constexpr std::size_t neighbors = 10;
  const std::size_t most = directions.size() / dim_;
  std::vector<float> projected(most * count_);
  products(directions, centered_, dim_, threads, projected);

  // Squared distances from the asked rows, and the one that the tenth of all rows would lie at.
  const std::size_t asked = std::min(asked_rows, count_ / 4), spacing = count_ / asked;
  const std::size_t rank = std::max<std::size_t>(1, neighbors * count_ / rows.count);
  std::vector<float> distances(asked * count_);
  std::vector<double> radius(asked);
  parallel_for(asked, threads, [&](std::size_t a, unsigned) {
    float* const out = distances.data() + a * count_;
    kernels().squared_l2_f32.scan(centered_.data() + a * spacing * dim_,
                                  reinterpret_cast<const std::byte*>(centered_.data()), dim_ * sizeof(float), count_,
                                  dim_, out);
    std::vector<float> sorted(out, out + count_);
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank), sorted.end());
    radius[a] = std::sqrt(static_cast<double>(sorted[rank]));  // rank 0 is the row itself
    std::fill_n(out, count_, 0.0f);
  });

  double best = 0.6 * plain_cost(rows), energy = 0;
  std::size_t length = 0, coordinate = 0;
  for (const std::size_t candidate : lengths) {
    if (candidate > most) break;
    for (; coordinate < candidate; ++coordinate) {
      const float* const along = projected.data() + coordinate * count_;
      for (std::size_t i = 0; i < count_; ++i) energy += static_cast<double>(along[i]) * along[i];
      parallel_for(asked, threads, [&](std::size_t a, unsigned) {
        float* const out = distances.data() + a * count_;
        const float here = along[a * spacing];
        for (std::size_t i = 0; i < count_; ++i) out[i] += (along[i] - here) * (along[i] - here);
      });
    }
    // Rounding to steps of 3 deviations / 127 moves a code by sqrt(length / 12) steps, and there are two of them.
    const double deviation = std::sqrt(energy / static_cast<double>(count_ * candidate));
    const double rounding = 2.4 * deviation * 3 / 127 * std::sqrt(static_cast<double>(candidate) / 12);
    std::size_t survivors = 0;
    for (std::size_t a = 0; a < asked; ++a) {
      const double limit = (radius[a] + rounding) * (radius[a] + rounding);
      const float* const out = distances.data() + a * count_;
      survivors += static_cast<std::size_t>(std::count_if(out, out + count_, [&](float d) { return d <= limit; }));
    }
    const double share = static_cast<double>(survivors) / static_cast<double>(asked * count_);
    const double gather = gather_latency + static_cast<double>(dim_ * element_size(rows.element)) / bytes_gathered;
    const double cost = static_cast<double>(candidate) / bytes_multiplied + share * gather;
    if (cost < best) {
      best = cost;
      length = candidate;
    }
  }
  return length;
}

double RowBoundsSample::deviation(std::span<const float> directions, unsigned threads) const {
  std::vector<float> projected(directions.size() / dim_ * count_);
  products(directions, centered_, dim_, threads, projected);
  double energy = 0;
  for (const float x : projected) energy += static_cast<double>(x) * x;
  return std::sqrt(energy / static_cast<double>(projected.size()));
}

}  // namespace lookalike
