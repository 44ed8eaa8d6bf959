// Whole arrays of numbers: picking the few small ones, widening halves, rounding to bytes. Written once for every
// instruction set.
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
    float rest[V::lanes];
    V::store(rest, V::load_first(values + i, count - i));
    __builtin_memcpy(out + i, rest, (count - i) * sizeof(float));
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

  constexpr float nothing = 1e-35f;  // one over its step would not be a float
  const float step = peak > nothing ? peak / 127 : 0, scale = step > 0 ? 1 / step : 0;
  for (std::size_t i = 0; i < whole; i += F::lanes) F::store_bytes(out + i, F::load(values + i), scale);
  if (whole < count) {
    std::int8_t rest[F::lanes];
    F::store_bytes(rest, F::load_first(values + whole, count - whole), scale);
    __builtin_memcpy(out + whole, rest, count - whole);
  }
  return step;
}

template <class K>
std::size_t find_not_above(const float* values, std::size_t count, float limit, std::uint32_t* positions) noexcept {
  const auto bound = K::broadcast(limit);
  std::size_t found = 0, i = 0;
  for (; i + K::lanes <= count; i += K::lanes) {
    std::uint32_t mask = K::not_above(K::load(values + i), bound);
    if constexpr (requires { K::put_places(mask, 0, positions); }) {  // no branches to be told wrong
      K::put_places(mask, static_cast<std::uint32_t>(i), positions + found);
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

/// Every value v becomes max(the one before it, min(v, value)): those below stay, the rest move up by one. From the
/// end, so that what is read has not been written; until a whole block stays.
template <class L>
std::size_t insert_sorted(std::int64_t* values, std::size_t count, std::int64_t value) noexcept {
  const auto bound = L::broadcast(value);
  std::size_t i = (count + L::lanes - 1) / L::lanes * L::lanes;
  while (i > 0) {
    i -= L::lanes;
    const auto here = L::load(values + i), before = L::load(values + i - 1);
    L::store(values + i, L::max(before, L::min(here, bound)));
    // What was dropped before lies behind the last one, and may be below too.
    if (const std::size_t below = L::count_below(here, bound)) return i + below < count ? i + below : count;
  }
  return 0;
}

}  // namespace
}  // namespace lookalike
