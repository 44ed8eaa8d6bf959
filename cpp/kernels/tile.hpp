// Matrix product tiles with a fused comparison (see TileKernel), for every instruction set.
// `T` is FloatTile or ByteTile of simd/<isa>.hpp. A tile multiplies `vectors` registers of rows by `queries` broadcast
// queries.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

template <class T>
struct TileUnits {
  static constexpr std::size_t header = 64;  // of a query panel: the initial value of each query's sum
  static std::size_t count(std::size_t dim) { return (dim + T::elements_per_unit - 1) / T::elements_per_unit; }
};

template <class T, class K, std::size_t vectors, std::size_t queries>
std::uint32_t multiply(const void* row_panel, const void* query_panel, std::size_t dim, const float* bias,
                       const float* scale, const float* limits, float* keys, std::uint32_t* masks) noexcept {
  using Unit = typename T::Unit;
  static_assert(queries * sizeof(Unit) <= TileUnits<T>::header && vectors * T::lanes <= 32);
  const std::size_t units = TileUnits<T>::count(dim);
  const Unit* start = static_cast<const Unit*>(query_panel);
  const Unit* q = start + TileUnits<T>::header / sizeof(Unit);
  const Unit* x = static_cast<const Unit*>(row_panel);

  typename T::Accumulator sums[queries][vectors];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < queries; ++i)
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = T::start(start[i]);

  for (std::size_t u = 0; u < units; ++u) {
    typename T::Register rows[vectors];
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) rows[v] = T::load(x + v * T::lanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < queries; ++i) {
      const auto query = T::broadcast(q + i);
#pragma GCC unroll 16
      for (std::size_t v = 0; v < vectors; ++v) sums[i][v] = T::multiply_add(sums[i][v], rows[v], query);
    }
    x += vectors * T::lanes;
    q += queries;
  }

  std::uint32_t matching_queries = 0;
#pragma GCC unroll 16
  for (std::size_t i = 0; i < queries; ++i) {
    const auto limit = K::broadcast(limits[i]);
    std::uint32_t mask = 0;
#pragma GCC unroll 16
    for (std::size_t v = 0; v < vectors; ++v) {
      const auto key =
          K::bias_minus_scaled(K::load(bias + v * K::lanes), K::load(scale + v * K::lanes), T::to_float(sums[i][v]));
      K::store(keys + (i * vectors + v) * K::lanes, key);
      mask |= K::not_above(key, limit) << (v * K::lanes);
    }
    masks[i] = mask;
    matching_queries |= static_cast<std::uint32_t>(mask != 0) << i;
  }
  return matching_queries;
}

template <class T, class K, std::size_t vectors>
void row_sums(const void* row_panel, std::size_t dim, float* sums, float* squares) noexcept {
  const std::size_t units = TileUnits<T>::count(dim);
  for (std::size_t v = 0; v < vectors; ++v) {
    const typename T::Unit* x = static_cast<const typename T::Unit*>(row_panel) + v * T::lanes;
    typename T::Accumulator sum = T::start(0), square = T::start(0);
    for (std::size_t u = 0; u < units; ++u, x += vectors * T::lanes) {
      const auto rows = T::load(x);
      sum = T::add_element(sum, rows);
      square = T::add_square(square, rows);
    }
    K::store(sums + v * K::lanes, T::to_float(sum));
    K::store(squares + v * K::lanes, T::to_float(square));
  }
}

}  // namespace
}  // namespace lookalike
