// Portable SIMD wrapper types with one lane. They also specify what every other instruction set must compute.
// Included by kernels/table_scalar.cpp alone: everything has internal linkage and uses no standard library.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/half.hpp"
#include "base/types.hpp"

namespace lookalike::scalar {
namespace {

struct Memory {
  static void prefetch(const void* address) { __builtin_prefetch(address); }
};

inline float to_float(Half x) { return half_to_float(x); }
template <class Number>
inline float to_float(Number x) {
  return static_cast<float>(x);
}

struct Floats {
  using Register = float;
  using Accumulator = float;
  static constexpr std::size_t lanes = 1;

  static Accumulator zero() { return 0; }
  template <class Number>
  static Register load(const Number* p) {
    return to_float(*p);
  }
  template <class Number>
  static Register load_first(const Number*, std::size_t) {
    return 0;  // never called: one lane has no partial load
  }
  static void store(float* p, Register x) { *p = x; }
  static Register larger_magnitude(Register a, Register b) {
    const float magnitude = b < 0 ? -b : b;
    return a < magnitude ? magnitude : a;
  }
  /// Stores x * scale, rounded to the nearest integer, ties to even. The result must fit a byte.
  static void store_bytes(std::int8_t* p, Register x, float scale) {
    constexpr float rounder = 12582912;  // 1.5 * 2^23: adding it rounds to an integer
    const float shifted = x * scale + rounder;
    *p = static_cast<std::int8_t>(shifted - rounder);
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) { return sum + (a - b) * (a - b); }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return sum + a * b; }
  static Accumulator add(Accumulator a, Accumulator b) { return a + b; }
  static float total(Accumulator sum) { return static_cast<float>(sum); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    for (int r = 0; r < 4; ++r) out[r] = sums[r];
  }
};

/// Eight doubles, converted from any stored number type. Products of stored numbers are exact in double, so FMA gives
/// the same result as separate rounding. Squared differences are not exact, so they are rounded before they are added.
struct Doubles {
  struct Register {
    double values[8];
  };
  using Accumulator = Register;
  static constexpr std::size_t rows = 1;

  static Accumulator zero() { return {}; }
  template <class Number>
  static Register load(const Number* p) {
    return load_first(p, 8);
  }
  /// The first n <= 8 elements, then zeros. Reads nothing past them.
  template <class Number>
  static Register load_first(const Number* p, std::size_t n) {
    Register x = {};
    for (std::size_t i = 0; i < n; ++i) x.values[i] = double{to_float(p[i])};
    return x;
  }
  static Accumulator add_squared_difference(Accumulator sum, const Register& a, const Register& b) {
    for (int i = 0; i < 8; ++i) {
      const double difference = a.values[i] - b.values[i];
      sum.values[i] += difference * difference;
    }
    return sum;
  }
  static Accumulator add_product(Accumulator sum, const Register& a, const Register& b) {
    for (int i = 0; i < 8; ++i) sum.values[i] += a.values[i] * b.values[i];
    return sum;
  }
  /// Adds adjacent lanes, then adjacent pairs, then fours: the order that every instruction set uses.
  static double total(const Accumulator& sum) {
    const double (&x)[8] = sum.values;
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
  }
};

template <class Byte>
struct Integers {
  using Register = std::int32_t;
  using Accumulator = std::int32_t;
  static constexpr std::size_t lanes = 1;

  static Accumulator zero() { return 0; }
  static Register load(const Byte* p) { return *p; }
  static Register load_first(const Byte*, std::size_t) { return 0; }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) { return sum + (a - b) * (a - b); }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return sum + a * b; }
  static Accumulator add(Accumulator a, Accumulator b) { return a + b; }
  static float total(Accumulator sum) { return static_cast<float>(sum); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    for (int r = 0; r < 4; ++r) out[r] = static_cast<float>(sums[r]);
  }
};

/// Dot products of codes and signed bytes, one byte of `count` codes at a time.
template <std::size_t count>
struct Codes {
  struct Register {
    std::int32_t values[count];
  };
  using Accumulator = std::int32_t;
  static constexpr std::size_t bytes = 1, codes_per_byte = count;

  static Accumulator zero() { return 0; }
  static Register load_query(const std::int8_t* p) {
    Register query;
    for (std::size_t i = 0; i < count; ++i) query.values[i] = p[i];
    return query;
  }
  /// The first code is in the lowest bits.
  static Register load_codes(const std::byte* p) {
    constexpr std::size_t width = 8 / count;
    Register codes;
    for (std::size_t i = 0; i < count; ++i)
      codes.values[i] = static_cast<std::int32_t>(*p) >> (i * width) & ((1 << width) - 1);
    return codes;
  }
  static Accumulator add_product(Accumulator sum, const Register& query, const Register& codes) {
    for (std::size_t i = 0; i < count; ++i) sum += query.values[i] * codes.values[i];
    return sum;
  }
  static void totals(const Accumulator (&sums)[4], float* out) { Integers<std::int8_t>::totals(sums, out); }
};
using DotU8 = Codes<1>;
using DotU4 = Codes<2>;
using DotU2 = Codes<4>;
using DotU1 = Codes<8>;

struct Bits {
  using Register = std::uint64_t;
  using Accumulator = std::uint64_t;
  static constexpr std::size_t lanes = 8;

  static Accumulator zero() { return 0; }
  static Register load(const std::uint8_t* p) { return load_first(p, lanes); }
  static Register load_first(const std::uint8_t* p, std::size_t n) {
    Register bits = 0;
    __builtin_memcpy(&bits, p, n);
    return bits;
  }
  static Accumulator add_differing(Accumulator sum, Register a, Register b) {
    return sum + static_cast<std::uint64_t>(__builtin_popcountll(a ^ b));
  }
  static Accumulator add(Accumulator a, Accumulator b) { return a + b; }
  static float total(Accumulator sum) { return static_cast<float>(sum); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    for (int r = 0; r < 4; ++r) out[r] = static_cast<float>(sums[r]);
  }
};

struct Keys {
  using Register = float;
  static constexpr std::size_t lanes = 1;

  static Register load(const float* p) { return *p; }
  static Register broadcast(float x) { return x; }
  static void store(float* p, Register x) { *p = x; }
  static Register bias_minus_scaled(Register bias, Register scale, Register x) { return bias - scale * x; }
  static std::uint32_t not_above(Register key, Register limit) { return !(key > limit); }
};

struct Int64s {
  using Register = std::int64_t;
  static constexpr std::size_t lanes = 1;

  static Register load(const std::int64_t* p) { return *p; }
  static Register broadcast(std::int64_t x) { return x; }
  static void store(std::int64_t* p, Register x) { *p = x; }
  static Register min(Register a, Register b) { return a < b ? a : b; }
  static Register max(Register a, Register b) { return a < b ? b : a; }
  static std::size_t count_below(Register a, Register b) { return a < b; }
};

using Block = std::uint32_t;
inline void store_block(void* p, Block block) { __builtin_memcpy(p, &block, sizeof block); }
inline void transpose(Block (&)[1]) {}

struct FloatTile {
  using Unit = float;
  using Register = float;
  using Accumulator = float;
  static constexpr std::size_t lanes = 1;
  static constexpr std::size_t elements_per_unit = 1;
  static constexpr int row_shift = 0;

  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t, const float* center) {
    const float x = to_float(row[i]) - (center ? center[i] : 0.0f);
    Block bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
  }
  static Accumulator start(float x) { return x; }
  static Register load(const Unit* p) { return *p; }
  static Register broadcast(const Unit* p) { return *p; }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) { return sum + rows * query; }
  static float to_float(Accumulator sum) { return sum; }
  template <class Number>
  static float to_float(Number x) {
    return scalar::to_float(x);
  }
  static Accumulator add_square(Accumulator sum, Register rows) { return sum + rows * rows; }
  static Accumulator add_element(Accumulator sum, Register rows) { return sum + rows; }
};

/// One unit (four bytes) of codes of one row.
struct Columns {
  using Register = std::uint32_t;
  using Query = std::uint32_t;
  using Accumulator = std::int32_t;
  static constexpr std::size_t lanes = 1, queries_per_pass = 1;

  static Accumulator zero() { return 0; }
  static Register load(const std::byte* p) {
    Register x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
  }
  static Query broadcast(const std::int32_t* p) { return static_cast<Query>(*p); }
  template <int bits>
  static Register lowest(Register x) {
    return x & 0x01010101u * ((1u << bits) - 1);
  }
  template <int bits>
  static Register without_lowest(Register x) {
    return bits == 8 ? x : x >> bits;
  }
  template <int bits>
  static Accumulator add_product(Accumulator sum, Register codes, Query query) {
    for (int shift = 0; shift < 32; shift += 8)
      sum += static_cast<int>(codes >> shift & 255) * static_cast<std::int8_t>(query >> shift);
    return sum;
  }
  static float to_float(Accumulator sum) { return static_cast<float>(sum); }
};

struct ByteTile {
  using Unit = std::int32_t;
  using Register = std::int32_t;
  using Accumulator = std::int32_t;
  static constexpr std::size_t lanes = 1;
  static constexpr std::size_t elements_per_unit = 1;
  static constexpr int row_shift = 0;

  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t, const float*) {
    return static_cast<Block>(X(-1) < X(0) ? row[i] : row[i] - 128);
  }
  static Accumulator start(std::int32_t x) { return x; }
  static Register load(const Unit* p) { return *p; }
  static Register broadcast(const Unit* p) { return *p; }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) { return sum + rows * query; }
  static float to_float(Accumulator sum) { return static_cast<float>(sum); }
  static Accumulator add_square(Accumulator sum, Register rows) { return sum + rows * rows; }
  static Accumulator add_element(Accumulator sum, Register rows) { return sum + rows; }
};

}  // namespace
}  // namespace lookalike::scalar
