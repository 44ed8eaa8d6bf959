// Random vectors of every element type, with guarded memory.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "base/half.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"

namespace lookalike::testing {

/// The nearest half of a float, ties to even; for values in the normal and subnormal range.
inline Half to_half(float value) {
  Half best{0};
  float distance = std::numeric_limits<float>::infinity();
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const int exponent = static_cast<int>(bits >> 23 & 255u) - 127 + 15;
  const int base = exponent <= 0 ? 0 : (exponent << 10 | static_cast<int>(bits >> 13 & 1023u));
  for (int candidate = std::max(base - 1, 0); candidate <= base + 2; ++candidate) {
    const Half half{static_cast<std::uint16_t>(sign | candidate)};
    const float error = std::abs(half_to_float(half) - value);
    if (error < distance || (error == distance && candidate % 2 == 0)) {
      distance = error;
      best = half;
    }
  }
  return best;
}

inline double number(float x) { return x; }
inline double number(Half x) { return half_to_float(x); }
inline double number(std::uint8_t x) { return x; }
inline double number(std::int8_t x) { return x; }

template <class X>
X random_element(std::mt19937& random);
template <>
inline float random_element(std::mt19937& random) {
  return std::normal_distribution<float>()(random);
}
template <>
inline Half random_element(std::mt19937& random) {
  return to_half(std::normal_distribution<float>()(random));
}
template <>
inline std::uint8_t random_element(std::mt19937& random) {
  return static_cast<std::uint8_t>(random());
}
template <>
inline std::int8_t random_element(std::mt19937& random) {
  return static_cast<std::int8_t>(random());
}

/// Rows of `dim` elements, `stride` bytes apart, that begin `offset` bytes into an allocation. The allocation ends with
/// the last row, so AddressSanitizer reports a read past it.
template <class X>
class Rows {
 public:
  Rows(std::size_t count, std::size_t dim, std::size_t stride, std::size_t offset)
      : count_(count), dim_(dim), stride_(stride), offset_(offset) {
    bytes_ = std::make_unique<std::byte[]>(size());
  }
  template <class Make>
  void fill(Make make) {
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t d = 0; d < dim_; ++d) {
        const X x = make();
        std::memcpy(bytes_.get() + offset_ + i * stride_ + d * sizeof(X), &x, sizeof x);
      }
  }
  const std::byte* data() const { return bytes_.get() + offset_; }
  std::size_t stride() const { return stride_; }
  X at(std::size_t i, std::size_t d) const {
    X x;
    std::memcpy(&x, data() + i * stride_ + d * sizeof(X), sizeof x);
    return x;
  }

 private:
  std::size_t size() const { return offset_ + (count_ ? (count_ - 1) * stride_ + dim_ * sizeof(X) : 0); }
  std::size_t count_, dim_, stride_, offset_;
  std::unique_ptr<std::byte[]> bytes_;
};

}  // namespace lookalike::testing
