// Whole arrays of numbers: picking the few small ones, widening halves. Written once for every instruction set.
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

template <class K>
std::size_t find_not_above(const float* values, std::size_t count, float limit, std::uint32_t* positions) noexcept {
  const auto bound = K::broadcast(limit);
  std::size_t found = 0, i = 0;
  for (; i + K::lanes <= count; i += K::lanes)
    for (std::uint32_t mask = K::not_above(K::load(values + i), bound); mask; mask &= mask - 1)
      positions[found++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(mask));
  for (; i < count; ++i)
    if (!(values[i] > limit)) positions[found++] = static_cast<std::uint32_t>(i);
  return found;
}

}  // namespace
}  // namespace lookalike
