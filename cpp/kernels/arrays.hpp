// Operations on arrays of numbers: widening halves, rounding to bytes, selecting values by a limit, sorted insertion.
// Templates over the SIMD wrapper types of simd/<isa>.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace lookalike {
namespace {

template <class V>
void widen(const Half* values, std::size_t count, float* out) noexcept {
  std::size_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) V::store(out + i, V::load(values + i));
  if (i < count) {
    float tail[V::lanes];
    V::store(tail, V::load_first(values + i, count - i));
    __builtin_memcpy(out + i, tail, (count - i) * sizeof(float));
  }
}

template <class F>
float round_to_bytes(const float* values, std::size_t count, std::int8_t* out) noexcept {
  const std::size_t whole = count / F::lanes * F::lanes;
  auto largest = F::zero();
  for (std::size_t i = 0; i < whole; i += F::lanes) largest = F::larger_magnitude(largest, F::load(values + i));
  if (whole < count) largest = F::larger_magnitude(largest, F::load_first(values + whole, count - whole));
  float lanes[F::lanes], peak = 0;
  F::store(lanes, largest);
  for (const float lane : lanes) peak = lane > peak ? lane : peak;

  constexpr float min_peak = 1e-35f;  // smaller peaks are treated as 0, so that 1 / step cannot overflow
  const float step = peak > min_peak ? peak / 127 : 0, scale = step > 0 ? 1 / step : 0;
  for (std::size_t i = 0; i < whole; i += F::lanes) F::store_bytes(out + i, F::load(values + i), scale);
  if (whole < count) {
    std::int8_t tail[F::lanes];
    F::store_bytes(tail, F::load_first(values + whole, count - whole), scale);
    __builtin_memcpy(out + whole, tail, count - whole);
  }
  return step;
}

template <class K>
std::size_t find_not_above(const float* values, std::size_t count, float limit, std::uint32_t* positions) noexcept {
  const auto bound = K::broadcast(limit);
  std::size_t found = 0, i = 0;
  for (; i + K::lanes <= count; i += K::lanes) {
    std::uint32_t mask = K::not_above(K::load(values + i), bound);
    if constexpr (requires { K::store_positions(mask, 0, positions); }) {  // avoids branch mispredictions
      K::store_positions(mask, static_cast<std::uint32_t>(i), positions + found);
      found += static_cast<std::size_t>(__builtin_popcount(mask));
    } else {
      for (; mask; mask &= mask - 1)
        positions[found++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(mask));
    }
  }
  for (; i < count; ++i)
    if (!(values[i] > limit)) positions[found++] = static_cast<std::uint32_t>(i);
  return found;
}

template <class K>
std::size_t count_not_above(const float* values, std::size_t count, float limit) noexcept {
  const auto bound = K::broadcast(limit);
  std::size_t found = 0, i = 0;
  for (; i + K::lanes <= count; i += K::lanes)
    found += static_cast<std::size_t>(__builtin_popcount(K::not_above(K::load(values + i), bound)));
  for (; i < count; ++i) found += !(values[i] > limit);
  return found;
}

/// Replaces every v by max(predecessor, min(v, value)): smaller values stay, larger ones move one place towards the
/// end. Runs from the end so that every value is read before it is overwritten, and stops at the first block that holds
/// a value below `value`.
template <class L>
std::size_t insert_sorted(std::int64_t* values, std::size_t count, std::int64_t value) noexcept {
  const auto bound = L::broadcast(value);
  std::size_t i = (count + L::lanes - 1) / L::lanes * L::lanes;
  while (i > 0) {
    i -= L::lanes;
    const auto current = L::load(values + i), before = L::load(values + i - 1);
    L::store(values + i, L::max(before, L::min(current, bound)));
    // The last block may include previously dropped values past `count`, so the position is capped.
    if (const std::size_t below = L::count_below(current, bound)) return i + below < count ? i + below : count;
  }
  return 0;
}

}  // namespace
}  // namespace lookalike
