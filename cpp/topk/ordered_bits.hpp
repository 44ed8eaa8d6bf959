// A float's bits, turned so that integers compare as the floats do.
#pragma once

#include <bit>
#include <cstdint>

namespace lookalike {

/// -0 stands just before 0. No NaN.
constexpr std::int32_t ordered_bits(float value) {
  const std::int32_t bits = std::bit_cast<std::int32_t>(value);
  return bits ^ (bits >> 31 & 0x7fffffff);
}

/// The float behind them.
constexpr float from_ordered_bits(std::int32_t ordered) {
  return std::bit_cast<float>(ordered ^ (ordered >> 31 & 0x7fffffff));
}

}  // namespace lookalike
