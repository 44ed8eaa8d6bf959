#include "codes/projection.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/array.hpp"
#include "base/random.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

const std::byte* bytes(const float* p) { return reinterpret_cast<const std::byte*>(p); }

std::vector<float> normal_rows(std::size_t count, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> rows(count * dim);
  for (float& x : rows) x = static_cast<float>(random.normal());
  return rows;
}

void scale_row(std::span<float> row, double by) {
  for (float& x : row) x = static_cast<float>(x * by);
}

void normalize(std::span<float> row) {
  double square = 0;
  for (const float x : row) square += static_cast<double>(x) * x;
  if (square > 0) scale_row(row, 1 / std::sqrt(square));
}

/// Row-major rows of `dim`, turned: block by block, as caches have it.
std::vector<float> transposed_rows(std::span<const float> rows, std::size_t dim, unsigned threads) {
  constexpr std::size_t side = 32;
  const std::size_t count = rows.size() / dim;
  std::vector<float> turned(rows.size());
  parallel_for((dim + side - 1) / side, threads, [&](std::size_t task, unsigned) {
    const std::size_t from = task * side, to = std::min(dim, from + side);
    for (std::size_t first = 0; first < count; first += side)
      for (std::size_t d = from; d < to; ++d)
        for (std::size_t i = first; i < std::min(count, first + side); ++i) turned[d * count + i] = rows[i * dim + d];
  });
  return turned;
}

}  // namespace

std::vector<float> mean_of(std::span<const float> rows, std::size_t dim) {
  std::vector<double> sums(dim);
  for (const float* row = rows.data(); row < rows.data() + rows.size(); row += dim)
    for (std::size_t d = 0; d < dim; ++d) sums[d] += row[d];
  std::vector<float> mean(dim);
  for (std::size_t d = 0; d < dim; ++d) mean[d] = static_cast<float>(sums[d] / static_cast<double>(rows.size() / dim));
  return mean;
}

std::vector<float> without_outliers(std::span<const float> sample, std::size_t dim) {
  constexpr double far = 100;  // squares of the distance that one in a hundred lies beyond
  std::vector<float> rows(sample.begin(), sample.end());
  for (int pass = 0; pass < 2; ++pass) {
    const std::vector<float> mean = mean_of(rows, dim);
    std::vector<double> squares(rows.size() / dim);
    for (std::size_t i = 0; i < squares.size(); ++i)
      for (std::size_t d = 0; d < dim; ++d) {
        const double off = double{rows[i * dim + d]} - mean[d];
        squares[i] += off * off;
      }
    std::vector<double> sorted = squares;
    const auto usual = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 99 / 100);
    std::nth_element(sorted.begin(), usual, sorted.end());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < squares.size(); ++i) {
      if (squares[i] > far * *usual) continue;
      std::memmove(rows.data() + kept++ * dim, rows.data() + i * dim, dim * sizeof(float));
    }
    rows.resize(kept * dim);
  }
  return rows;
}

void products(std::span<const float> a, std::span<const float> b, std::size_t dim, unsigned threads,
              std::span<float> c) {
  const TileKernel& tile = kernels().tile_f32;
  const std::size_t na = a.size() / dim, nb = b.size() / dim;
  const VectorsView all{bytes(a.data()), Element::f32, na, dim, dim * sizeof(float)};
  QueryPanels queries(tile, na, dim);
  for (std::size_t p = 0; p < queries.panels(); ++p)
    queries.pack(p, all.slice(queries.first(p), queries.size(p)), nullptr);
  parallel_for((nb + tile.rows - 1) / tile.rows, threads, [&](std::size_t task, unsigned) {
    const std::size_t begin = task * tile.rows, size = std::min(tile.rows, nb - begin);
    const std::byte* vectors[32];
    for (std::size_t i = 0; i < size; ++i) vectors[i] = bytes(b.data() + (begin + i) * dim);
    Array<std::byte> panel;
    panel.resize_for_overwrite(tile.row_panel_bytes(dim));
    tile.pack_rows(vectors, Element::f32, size, dim, nullptr, panel.mutable_data());
    float bias[32] = {}, scale[32], limits[16] = {}, keys[32 * 16];
    std::uint32_t masks[16];
    std::fill_n(scale, 32, -1.0f);
    for (std::size_t p = 0; p < queries.panels(); ++p) {
      tile.multiply(panel.data(), queries.panel(p), dim, bias, scale, limits, keys, masks);
      for (std::size_t i = 0; i < queries.size(p); ++i)
        std::copy_n(keys + i * tile.rows, size, c.data() + (queries.first(p) + i) * nb + begin);
    }
  });
}

void orthonormalize(std::span<float> rows, std::size_t dim) {
  const std::size_t count = rows.size() / dim;
  std::vector<float> parts(count);
  for (int pass = 0; pass < 2; ++pass)  // twice is enough [Giraud, Langou and Rozloznik 2005]
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<float> row = rows.subspan(i * dim, dim);
      double square = 0;
      for (const float x : row) square += static_cast<double>(x) * x;
      // What is left of a dependent row is rounding noise.
      const bool dependent = !(square > (pass == 0 ? 1e-30 : 0.25));
      scale_row(row, dependent ? 0 : 1 / std::sqrt(square));
      if (dependent || i + 1 == count) continue;
      const std::span<float> later = rows.subspan((i + 1) * dim);
      kernels().inner_product_f32.scan(row.data(), reinterpret_cast<const std::byte*>(later.data()),
                                       dim * sizeof(float), count - i - 1, dim, parts.data());
      for (std::size_t j = 0; j < count - i - 1; ++j)
        for (std::size_t d = 0; d < dim; ++d) later[j * dim + d] += parts[j] * row[d];
    }
}

std::vector<float> principal_directions(std::span<const float> centered, std::size_t dim, std::size_t count,
                                        std::uint64_t seed, unsigned threads) {
  constexpr int iterations = 3;
  const std::size_t samples = centered.size() / dim;
  const std::vector<float> transposed = transposed_rows(centered, dim, threads);
  std::vector<float> directions = normal_rows(count, dim, seed);
  std::vector<float> projected(count * samples);
  for (int i = 0; i < iterations; ++i) {
    orthonormalize(directions, dim);
    products(directions, centered, dim, threads, projected);
    // To length 1, or the next product might overflow. To orthonormalise them too would take longer than all the rest.
    for (std::size_t j = 0; j < count; ++j) normalize(std::span(projected).subspan(j * samples, samples));
    products(projected, transposed, samples, threads, directions);
  }
  orthonormalize(directions, dim);
  return directions;
}

std::vector<float> random_rotation(std::size_t dim, std::uint64_t seed) {
  std::vector<float> rows = normal_rows(dim, dim, seed);
  orthonormalize(rows, dim);
  return rows;
}

}  // namespace lookalike
