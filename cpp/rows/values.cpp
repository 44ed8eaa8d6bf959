#include "rows/values.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "base/errors.hpp"
#include "base/half.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr float largest_half = 65504.0f;

/// Rounds to nearest, ties to even; values above the largest half become infinity.
Half to_half(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  std::uint32_t half;
  if (magnitude >= 0x47800000u) {  // 65536 and above, infinities and NaN
    half = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  } else if (magnitude < 0x38800000u) {  // subnormal halves: adding 0.5 leaves the rounded fraction in the low bits
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  }
  return {static_cast<std::uint16_t>(sign | half)};
}

float as_float(float value) noexcept { return value; }
float as_float(Half value) noexcept { return half_to_float(value); }
float as_float(std::uint8_t value) noexcept { return value; }
float as_float(std::int8_t value) noexcept { return value; }

template <class To>
To from_float(float value) noexcept {
  return static_cast<To>(value);
}
template <>
Half from_float<Half>(float value) noexcept {
  return to_half(value);
}

/// Calls `body` with a null pointer to the element's C++ type. Bits are handled as bytes.
template <class Body>
auto with_type(Element element, Body&& body) {
  switch (element) {
    case Element::f32: return body(static_cast<const float*>(nullptr));
    case Element::f16: return body(static_cast<const Half*>(nullptr));
    case Element::s8: return body(static_cast<const std::int8_t*>(nullptr));
    case Element::u8:
    case Element::bits: break;
  }
  return body(static_cast<const std::uint8_t*>(nullptr));
}

// The loops over a row have no early exit, so that the compiler vectorises them.
bool row_is_finite(const float* row, std::size_t dim) noexcept {
  std::uint32_t bad = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, row + i, sizeof bits);
    bad |= static_cast<std::uint32_t>((bits & 0x7f800000u) == 0x7f800000u);
  }
  return bad == 0;
}

bool row_is_finite(const Half* row, std::size_t dim) noexcept {
  unsigned bad = 0;
  for (std::size_t i = 0; i < dim; ++i) bad |= static_cast<unsigned>((row[i].bits & 0x7c00u) == 0x7c00u);
  return bad == 0;
}

template <class T>
bool row_is_integer(const T* row, std::size_t dim, float low, float high) noexcept {
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const float value = as_float(row[i]);
    const float probe = ((value >= low) & (value <= high)) ? value : 0.5f;  // keeps the cast below defined
    bad |= static_cast<std::int32_t>(static_cast<float>(static_cast<std::int32_t>(probe)) != probe);
  }
  return bad == 0;
}

template <class T, class IsBad>
std::optional<BadValue> first_where(const VectorsView& vectors, IsBad&& is_bad) {
  for (std::size_t row = 0; row < vectors.count; ++row) {
    const T* values = reinterpret_cast<const T*>(vectors.row(row));
    for (std::size_t column = 0; column < vectors.dim; ++column) {
      if (is_bad(as_float(values[column]))) return BadValue{row, column, as_float(values[column])};
    }
  }
  return std::nullopt;
}

template <class IsBad>
std::optional<BadValue> first_where(const VectorsView& vectors, IsBad&& is_bad) {
  return with_type(vectors.element, [&]<class T>(const T*) { return first_where<T>(vectors, is_bad); });
}

bool is_integer(float value, float low, float high) noexcept {
  return value >= low && value <= high && std::trunc(value) == value;
}

constexpr std::size_t block_bytes = std::size_t{1} << 19;  // fits a core's L2 cache

/// Splits the vectors into blocks of rows and runs body(first row, block) for each, in parallel.
template <class Body>
void for_blocks(const VectorsView& vectors, unsigned threads, Body&& body) {
  const std::size_t bytes = std::max<std::size_t>(1, row_bytes(vectors.element, vectors.dim));
  const std::size_t rows = std::max<std::size_t>(1, block_bytes / bytes);
  parallel_for((vectors.count + rows - 1) / rows, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * rows;
    body(first, vectors.slice(first, std::min(rows, vectors.count - first)));
  });
}

template <class T>
IntegerFit check_floats(const VectorsView& vectors, const char* argument, unsigned threads) {
  std::atomic<bool> finite = true, fits_u8 = true, fits_s8 = true;
  for_blocks(vectors, threads, [&](std::size_t, const VectorsView& block) {
    bool u8 = fits_u8, s8 = fits_s8;
    for (std::size_t i = 0; i < block.count; ++i) {
      const T* row = reinterpret_cast<const T*>(block.row(i));
      if (!row_is_finite(row, block.dim)) finite = false;
      u8 = u8 && row_is_integer(row, block.dim, 0, 255);
      s8 = s8 && row_is_integer(row, block.dim, -128, 127);
    }
    if (!u8) fits_u8 = false;
    if (!s8) fits_s8 = false;
  });
  if (!finite) {
    const BadValue bad_value = *first_where<T>(vectors, [](float value) { return !std::isfinite(value); });
    throw InvalidArgument(describe(argument, bad_value) + "; every value must be finite");
  }
  return {fits_u8, fits_s8};
}

template <class From, class To>
void convert_row(const std::byte* from, std::byte* to, std::size_t dim) noexcept {
  const From* source = reinterpret_cast<const From*>(from);
  To* target = reinterpret_cast<To*>(to);
  for (std::size_t i = 0; i < dim; ++i) target[i] = from_float<To>(as_float(source[i]));
}

}  // namespace

std::string describe(const char* argument, const BadValue& bad_value) {
  char text[64];
  std::snprintf(text, sizeof text, "[%zu, %zu] is %.9g", bad_value.row, bad_value.column, bad_value.value);
  return argument + std::string(text);
}

void require_finite(const VectorsView& vectors, const char* argument, unsigned threads) {
  if (vectors.element != Element::f32 && vectors.element != Element::f16) return;  // bytes are always finite
  std::atomic<bool> finite = true;
  for_blocks(vectors, threads, [&](std::size_t, const VectorsView& block) {
    for (std::size_t i = 0; i < block.count; ++i) {
      const bool is_finite = block.element == Element::f32
                                 ? row_is_finite(reinterpret_cast<const float*>(block.row(i)), block.dim)
                                 : row_is_finite(reinterpret_cast<const Half*>(block.row(i)), block.dim);
      if (!is_finite) finite = false;
    }
  });
  if (!finite) check_values(vectors, argument, 1);  // throws, naming the first bad value
}

IntegerFit check_values(const VectorsView& vectors, const char* argument, unsigned threads) {
  switch (vectors.element) {
    case Element::f32: return check_floats<float>(vectors, argument, threads);
    case Element::f16: return check_floats<Half>(vectors, argument, threads);
    case Element::u8: return {true, !first_not_representable(vectors, Element::s8)};
    case Element::s8: return {!first_not_representable(vectors, Element::u8), true};
    case Element::bits: break;
  }
  return {false, false};
}

std::optional<BadValue> first_not_representable(const VectorsView& vectors, Element element) {
  if (element == vectors.element) return std::nullopt;
  switch (element) {
    case Element::u8: return first_where(vectors, [](float value) { return !is_integer(value, 0, 255); });
    case Element::s8: return first_where(vectors, [](float value) { return !is_integer(value, -128, 127); });
    case Element::f16:
      if (vectors.element != Element::f32) return std::nullopt;
      return first_where<float>(vectors, [](float value) { return half_to_float(to_half(value)) != value; });
    case Element::f32:
    case Element::bits: break;
  }
  return std::nullopt;
}

std::optional<BadValue> first_out_of_half_range(const VectorsView& vectors) {
  if (vectors.element != Element::f32) return std::nullopt;
  return first_where<float>(vectors, [](float value) { return !(std::fabs(value) <= largest_half); });
}

void convert(const VectorsView& vectors, Element element, std::byte* out) noexcept {
  const std::size_t bytes = row_bytes(element, vectors.dim);
  if (element == Element::f32 && vectors.element == Element::f16) {
    for (std::size_t i = 0; i < vectors.count; ++i)
      kernels().widen(reinterpret_cast<const Half*>(vectors.row(i)), vectors.dim,
                      reinterpret_cast<float*>(out + i * bytes));
    return;
  }
  if (element == vectors.element) {
    for (std::size_t i = 0; i < vectors.count; ++i) std::memcpy(out + i * bytes, vectors.row(i), bytes);
    return;
  }
  with_type(vectors.element, [&]<class From>(const From*) {
    with_type(element, [&]<class To>(const To*) {
      for (std::size_t i = 0; i < vectors.count; ++i) {
        convert_row<From, To>(vectors.row(i), out + i * bytes, vectors.dim);
      }
    });
  });
}

void convert(const VectorsView& vectors, Element element, std::byte* out, unsigned threads) {
  const std::size_t bytes = row_bytes(element, vectors.dim);
  for_blocks(vectors, threads,
             [&](std::size_t first, const VectorsView& block) { convert(block, element, out + first * bytes); });
}

}  // namespace lookalike
