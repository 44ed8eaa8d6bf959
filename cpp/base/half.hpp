// Converts binary16 to binary32 in software. The function is static so that the linker never merges a copy compiled for
// a newer instruction set into code that must run on an older CPU.
#pragma once

#include <cstdint>

#include "base/types.hpp"

namespace lookalike {

static inline float half_to_float(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000u) << 16;
  const std::uint32_t exponent = half.bits >> 10 & 31u, fraction = half.bits & 1023u;
  std::uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000u | fraction << 13;
  } else if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, exact in float
    const float value = static_cast<float>(fraction) * 0x1p-24f;
    __builtin_memcpy(&bits, &value, sizeof bits);
    bits |= sign;
  } else {
    bits = sign | (exponent + 112) << 23 | fraction << 13;
  }
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace lookalike
