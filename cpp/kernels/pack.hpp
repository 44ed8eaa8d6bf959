// Row-major vectors into the panels that tiles read, written once for every instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "kernels/tile.hpp"

namespace lookalike {
namespace {

/// A panel of rows lies unit by unit: [unit][row]. `Simd` gives Block, zero_block, store_block and transpose.
template <class Simd, class T, std::size_t vectors, class X>
void pack_rows_of(const std::byte* const* rows, std::size_t count, std::size_t dim, const float* center, void* panel) {
  constexpr std::size_t width = vectors * T::lanes;  // units from one row's unit to its next
  const std::size_t units = TileUnits<T>::count(dim);
  auto* const out = static_cast<std::uint32_t*>(panel);
  for (std::size_t v = 0; v < vectors; ++v)
    for (std::size_t u = 0; u < units; u += T::lanes) {
      typename Simd::Block block[T::lanes];
      for (std::size_t lane = 0; lane < T::lanes; ++lane) {
        // A missing row repeats the first: its products are never looked at.
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

/// A panel of queries lies unit by unit too: [header: starts][unit][query]. Missing queries are zeros.
template <class T, std::size_t queries>
void pack_float_queries(const std::byte* const* vectors, Element, std::size_t count, std::size_t dim,
                        const float* center, const void* start, void* panel) noexcept {
  auto* const starts = static_cast<float*>(panel);
  float* const out = starts + TileUnits<T>::header / sizeof(float);
  for (std::size_t q = 0; q < queries; ++q) starts[q] = start && q < count ? static_cast<const float*>(start)[q] : 0;
  constexpr std::size_t together = 64;  // units that all queries are written to while they lie in the first cache
  for (std::size_t first = 0; first < dim; first += together) {
    const std::size_t last = first + together < dim ? first + together : dim;
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

template <std::size_t elements_per_unit>
struct PartOf;
template <>
struct PartOf<4> {
  using type = std::int8_t;
};
template <>
struct PartOf<2> {
  using type = std::int16_t;
};
template <>
struct PartOf<1> {
  using type = std::int32_t;
};

template <class T, std::size_t queries>
void pack_byte_queries(const std::byte* const* vectors, Element element, std::size_t count, std::size_t dim,
                       const float*, const void* start, void* panel) noexcept {
  using Part = typename PartOf<T::elements_per_unit>::type;
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
    // Rows packed with a shift owe every query shift * its sum.
    starts[q] = (start && q < count ? static_cast<const std::int32_t*>(start)[q] : 0) - T::row_shift * sum;
  }
}

}  // namespace
}  // namespace lookalike
