// Maps floats to integers that have the same order.
#pragma once

#include <bit>
#include <cstdint>

namespace lookalike {

/// -0 maps to just below 0. `value` is not NaN.
constexpr std::int32_t ordered_bits(float value) {
  const std::int32_t bits = std::bit_cast<std::int32_t>(value);
  return bits ^ (bits >> 31 & 0x7fffffff);
}

/// The inverse of ordered_bits.
constexpr float from_ordered_bits(std::int32_t ordered) {
  return std::bit_cast<float>(ordered ^ (ordered >> 31 & 0x7fffffff));
}

}  // namespace lookalike
