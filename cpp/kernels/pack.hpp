// Packs row-major vectors into the panels of the tile kernels (as GEMM packs its operands).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "kernels/tile.hpp"

namespace lookalike {
namespace {

/// Row panel layout: [unit][row]. `Simd` provides Block, store_block and transpose.
template <class Simd, class T, std::size_t vectors, class X>
void pack_rows_of(const std::byte* const* rows, std::size_t count, std::size_t dim, const float* center, void* panel) {
  constexpr std::size_t width = vectors * T::lanes;  // distance between two units of one row
  const std::size_t units = TileUnits<T>::count(dim);
  auto* const out = static_cast<std::uint32_t*>(panel);
  for (std::size_t v = 0; v < vectors; ++v)
    for (std::size_t u = 0; u < units; u += T::lanes) {
      typename Simd::Block block[T::lanes];
      for (std::size_t lane = 0; lane < T::lanes; ++lane) {
        // Missing rows repeat row 0; their products are ignored.
        const std::size_t r = v * T::lanes + lane;
        const X* row = reinterpret_cast<const X*>(rows[r < count ? r : 0]);
        block[lane] = T::pack(row, u * T::elements_per_unit, dim, center);
      }
      Simd::transpose(block);
      const std::size_t filled = units - u < T::lanes ? units - u : T::lanes;
      for (std::size_t i = 0; i < filled; ++i) Simd::store_block(out + (u + i) * width + v * T::lanes, block[i]);
    }
}

template <class Simd, class T, std::size_t vectors>
void pack_float_rows(const std::byte* const* rows, Element element, std::size_t count, std::size_t dim,
                     const float* center, void* panel) noexcept {
  switch (element) {
    case Element::f32: return pack_rows_of<Simd, T, vectors, float>(rows, count, dim, center, panel);
    case Element::f16: return pack_rows_of<Simd, T, vectors, Half>(rows, count, dim, center, panel);
    case Element::u8: return pack_rows_of<Simd, T, vectors, std::uint8_t>(rows, count, dim, center, panel);
    case Element::s8: return pack_rows_of<Simd, T, vectors, std::int8_t>(rows, count, dim, center, panel);
    case Element::bits: return;
  }
}

template <class Simd, class T, std::size_t vectors>
void pack_byte_rows(const std::byte* const* rows, Element element, std::size_t count, std::size_t dim, const float*,
                    void* panel) noexcept {
  if (element == Element::u8)
    pack_rows_of<Simd, T, vectors, std::uint8_t>(rows, count, dim, nullptr, panel);
  else
    pack_rows_of<Simd, T, vectors, std::int8_t>(rows, count, dim, nullptr, panel);
}

/// Query panel layout: [header: start values of the sums][unit][query]. Missing queries are zeros.
template <class T, std::size_t queries>
void pack_float_queries(const std::byte* const* vectors, Element, std::size_t count, std::size_t dim,
                        const float* center, const void* start, void* panel) noexcept {
  auto* const starts = static_cast<float*>(panel);
  float* const out = starts + TileUnits<T>::header / sizeof(float);
  for (std::size_t q = 0; q < queries; ++q) starts[q] = start && q < count ? static_cast<const float*>(start)[q] : 0;
  constexpr std::size_t chunk = 64;  // units per pass over the queries, so that the output stays in the L1 cache
  for (std::size_t first = 0; first < dim; first += chunk) {
    const std::size_t last = first + chunk < dim ? first + chunk : dim;
    for (std::size_t q = 0; q < queries; ++q) {
      const float* const query = reinterpret_cast<const float*>(vectors[q < count ? q : 0]);
      if (q >= count)
        for (std::size_t i = first; i < last; ++i) out[i * queries + q] = 0;
      else if (center)
        for (std::size_t i = first; i < last; ++i) out[i * queries + q] = query[i] - center[i];
      else
        for (std::size_t i = first; i < last; ++i) out[i * queries + q] = query[i];
    }
  }
}

/// The integer type of one element in a 4-byte unit.
template <std::size_t elements_per_unit>
struct UnitElement;
template <>
struct UnitElement<4> {
  using type = std::int8_t;
};
template <>
struct UnitElement<2> {
  using type = std::int16_t;
};
template <>
struct UnitElement<1> {
  using type = std::int32_t;
};

template <class T, std::size_t queries>
void pack_byte_queries(const std::byte* const* vectors, Element element, std::size_t count, std::size_t dim,
                       const float*, const void* start, void* panel) noexcept {
  using Part = typename UnitElement<T::elements_per_unit>::type;
  constexpr std::size_t parts = T::elements_per_unit;
  const std::size_t units = TileUnits<T>::count(dim);
  auto* const starts = static_cast<std::int32_t*>(panel);
  auto* const out = reinterpret_cast<std::byte*>(starts) + TileUnits<T>::header;
  const int shift = element == Element::u8 ? 128 : 0;
  for (std::size_t q = 0; q < queries; ++q) {
    std::int32_t sum = 0;
    for (std::size_t u = 0; u < units; ++u) {
      Part unit[parts] = {};
      for (std::size_t p = 0; p < parts && q < count && u * parts + p < dim; ++p) {
        const std::byte byte = vectors[q][u * parts + p];
        const int value = (shift ? static_cast<int>(byte) : static_cast<std::int8_t>(byte)) - shift;
        unit[p] = static_cast<Part>(value);
        sum += value;
      }
      __builtin_memcpy(out + (u * queries + q) * sizeof unit, unit, sizeof unit);
    }
    // Rows are packed as x + row_shift, so the start value subtracts row_shift * sum(query).
    starts[q] = (start && q < count ? static_cast<const std::int32_t*>(start)[q] : 0) - T::row_shift * sum;
  }
}

}  // namespace
}  // namespace lookalike
