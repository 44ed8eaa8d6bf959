#include "linalg/projection.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/precise.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

QueryPanels packed_queries(std::span<const float> rows, std::size_t dim, unsigned threads) {
  const VectorsView all = view_of(rows, dim);
  QueryPanels panels(kernels().tile_f32, all.count, dim);
  parallel_for(panels.panels(), threads,
               [&](std::size_t p, unsigned) { panels.pack(p, all.slice(panels.first(p), panels.size(p)), nullptr); });
  return panels;
}

/// Inner products of all queries with one panel of rows, which are rows `first` to first + size of `count`.
void multiply(const QueryPanels& queries, const std::byte* rows, std::size_t first, std::size_t size, std::size_t count,
              std::size_t dim, std::span<float> out) {
  const TileKernel& tile = kernels().tile_f32;
  float bias[QueryPanels::max_panel_rows] = {}, scale[QueryPanels::max_panel_rows],
        limits[QueryPanels::max_panel_queries] = {}, keys[QueryPanels::max_panel_rows * QueryPanels::max_panel_queries];
  std::uint32_t masks[QueryPanels::max_panel_queries];
  std::fill_n(scale, QueryPanels::max_panel_rows, -1.0f);
  for (std::size_t p = 0; p < queries.panels(); ++p) {
    tile.multiply(rows, queries.panel(p), dim, bias, scale, limits, keys, masks);
    for (std::size_t i = 0; i < queries.size(p); ++i)
      std::copy_n(keys + i * tile.rows, size, out.data() + (queries.first(p) + i) * count + first);
  }
}

std::vector<float> dense_rotation(std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> rows(dim * dim);
  for (float& x : rows) x = static_cast<float>(random.normal());
  orthonormalize(rows, dim);
  return rows;
}

}  // namespace

double squared_norm(std::span<const float> row) {
  return precise_squared_norm(reinterpret_cast<const std::byte*>(row.data()), Element::f32, row.size());
}

void scale_row(std::span<float> row, double factor) {
  for (float& x : row) x = static_cast<float>(x * factor);
}

RowPanels packed_rows(std::span<const float> rows, std::size_t dim, unsigned threads) {
  const VectorsView all = view_of(rows, dim);
  RowPanels panels(kernels().tile_f32, all.count, dim);
  parallel_for(panels.panels(), threads,
               [&](std::size_t p, unsigned) { panels.pack(p, all.slice(panels.first(p), panels.size(p)), nullptr); });
  return panels;
}

RowPanels packed_columns(std::span<const float> rows, std::size_t dim, unsigned threads) {
  RowPanels panels(kernels().tile_f32, dim, rows.size() / dim);
  parallel_for(panels.panels(), threads, [&](std::size_t p, unsigned) { panels.pack_columns(p, rows.data()); });
  return panels;
}

void inner_products(std::span<const float> a, const RowPanels& b, std::size_t dim, unsigned threads,
                    std::span<float> c) {
  const QueryPanels queries = packed_queries(a, dim, threads);
  parallel_for(b.panels(), threads, [&](std::size_t p, unsigned) {
    multiply(queries, b.panel(p), b.first(p), b.size(p), b.count(), dim, c);
  });
}

void inner_products(std::span<const float> a, std::span<const float> b, std::size_t dim, unsigned threads,
                    std::span<float> c) {
  const TileKernel& tile = kernels().tile_f32;
  const VectorsView rows = view_of(b, dim);
  const QueryPanels queries = packed_queries(a, dim, threads);
  parallel_for((rows.count + tile.rows - 1) / tile.rows, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * tile.rows, size = std::min(tile.rows, rows.count - first);
    RowPanels panel(tile, size, dim);
    panel.pack(0, rows.slice(first, size), nullptr);
    multiply(queries, panel.panel(0), first, size, rows.count, dim, c);
  });
}

void orthonormalize_once(std::span<float> rows, std::size_t dim, double min_squared_norm) {
  const std::size_t count = rows.size() / dim;
  std::vector<float> overlaps(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<float> row = rows.subspan(i * dim, dim);
    const double square = squared_norm(row);
    const bool dependent = !(square > min_squared_norm);
    scale_row(row, dependent ? 0 : 1 / std::sqrt(square));
    if (dependent || i + 1 == count) continue;
    const std::span<float> later = rows.subspan((i + 1) * dim);
    kernels().inner_product_f32.scan(row.data(), reinterpret_cast<const std::byte*>(later.data()), dim * sizeof(float),
                                     count - i - 1, dim, overlaps.data());
    for (std::size_t j = 0; j < count - i - 1; ++j)
      for (std::size_t d = 0; d < dim; ++d) later[j * dim + d] += overlaps[j] * row[d];
  }
}

void orthonormalize(std::span<float> rows, std::size_t dim) {
  orthonormalize_once(rows, dim);
  // Two passes suffice [Giraud, Langou and Rozloznik 2005]. A remainder below 0.25 is rounding noise of a dependent
  // row.
  orthonormalize_once(rows, dim, 0.25);
}

std::vector<float> random_rotation(std::size_t dim, std::uint64_t seed) {
  constexpr std::size_t max_dense_dim = 512, part_dim = 256;
  if (dim <= max_dense_dim) return dense_rotation(dim, seed);
  // First rotates each of `parts` runs of consecutive coordinates, then each set of coordinates with stride `parts`.
  // This mixes every coordinate with all others at a fraction of the cost of a dense rotation.
  const std::size_t parts = (dim + part_dim - 1) / part_dim;
  std::vector<float> rows(dim * dim);
  std::vector<std::size_t> first_of(dim), end_of(dim);  // the nonzero range of each row of the first stage
  for (std::size_t p = 0; p < parts; ++p) {
    const std::size_t first = p * dim / parts, size = (p + 1) * dim / parts - first;
    const std::vector<float> block = dense_rotation(size, seed + p);
    for (std::size_t i = 0; i < size; ++i) {
      std::copy_n(block.data() + i * size, size, rows.data() + (first + i) * dim + first);
      first_of[first + i] = first;
      end_of[first + i] = first + size;
    }
  }
  std::vector<float> rotated(dim * dim);
  for (std::size_t p = 0; p < parts; ++p) {
    const std::size_t size = (dim - p + parts - 1) / parts;
    const std::vector<float> mix = dense_rotation(size, seed + parts + p);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) {
        const std::size_t from = p + j * parts;
        float* const out = rotated.data() + (p + i * parts) * dim;
        for (std::size_t d = first_of[from]; d < end_of[from]; ++d) out[d] += mix[i * size + j] * rows[from * dim + d];
      }
  }
  return rotated;
}

}  // namespace lookalike
