// Arm64 NEON with dot product and half precision (Armv8.2: Neoverse, Apple, Cortex-A76 and later).
// Included by kernels/table_neon.cpp alone: everything has internal linkage and uses no standard library.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace lookalike::neon {
namespace {

struct Memory {
  static void prefetch(const void* address) { __builtin_prefetch(address); }
};

/// The first n <= 16 bytes, then zeros. Reads nothing past them.
inline uint8x16_t load_first_bytes(const void* p, std::size_t n) {
  alignas(16) std::uint8_t buffer[16] = {};
  __builtin_memcpy(buffer, p, n);
  return vld1q_u8(buffer);
}

/// Four floats, converted from any stored number type.
struct Floats {
  using Register = float32x4_t;
  using Accumulator = float32x4_t;
  static constexpr std::size_t lanes = 4;

  static Accumulator zero() { return vdupq_n_f32(0); }
  static Register from(uint8x16_t bytes, float) { return vreinterpretq_f32_u8(bytes); }
  static Register from(uint8x16_t bytes, Half) { return vcvt_f32_f16(vreinterpret_f16_u8(vget_low_u8(bytes))); }
  static Register from(uint8x16_t bytes, std::uint8_t) {
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vget_low_u8(bytes)))));
  }
  static Register from(uint8x16_t bytes, std::int8_t) {
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(vget_low_u8(bytes))))));
  }
  static Register load(const float* p) { return vld1q_f32(p); }
  static Register load(const Half* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits))); }
  template <class Byte>
  static Register load(const Byte* p) {
    return load_first(p, lanes);
  }
  /// The first n <= lanes elements, then zeros. Reads nothing past them.
  template <class Number>
  static Register load_first(const Number* p, std::size_t n) {
    return from(load_first_bytes(p, n * sizeof(Number)), Number{});
  }
  static void store(float* p, Register x) { vst1q_f32(p, x); }
  static Register larger_magnitude(Register a, Register b) { return vmaxq_f32(a, vabsq_f32(b)); }
  /// Stores x * scale, rounded to the nearest integers, ties to even. The results must fit a byte.
  static void store_bytes(std::int8_t* p, Register x, float scale) {
    const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(x, scale)));
    const std::int32_t bytes = vget_lane_s32(vreinterpret_s32_s8(vqmovn_s16(vcombine_s16(words, words))), 0);
    __builtin_memcpy(p, &bytes, sizeof bytes);
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = vsubq_f32(a, b);
    return vfmaq_f32(sum, difference, difference);
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return vfmaq_f32(sum, a, b); }
  static Accumulator add(Accumulator a, Accumulator b) { return vaddq_f32(a, b); }
  static float total(Accumulator sum) {
    const float32x4_t pairs = vpaddq_f32(sum, sum);  // same order of additions as in totals()
    return vgetq_lane_f32(vpaddq_f32(pairs, pairs), 0);
  }
  static void totals(const Accumulator (&sums)[4], float* out) {
    vst1q_f32(out, vpaddq_f32(vpaddq_f32(sums[0], sums[1]), vpaddq_f32(sums[2], sums[3])));
  }
};

/// Eight doubles, converted from any stored number type. Products of stored numbers are exact in double, so FMA gives
/// the same result as separate rounding. Squared differences are not exact, so they are rounded before they are added.
struct Doubles {
  struct Register {
    float64x2_t pairs[4];
  };
  using Accumulator = Register;
  static constexpr std::size_t rows = 2;

  static Register widen(float32x4_t low, float32x4_t high) {
    return {{vcvt_f64_f32(vget_low_f32(low)), vcvt_high_f64_f32(low), vcvt_f64_f32(vget_low_f32(high)),
             vcvt_high_f64_f32(high)}};
  }
  static Accumulator zero() { return {{vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0)}}; }
  template <class Number>
  static Register load(const Number* p) {
    return widen(Floats::load(p), Floats::load(p + 4));
  }
  /// The first n < 8 elements, then zeros. Reads nothing past them.
  template <class Number>
  static Register load_first(const Number* p, std::size_t n) {
    return n < 4 ? widen(Floats::load_first(p, n), Floats::zero())
                 : widen(Floats::load(p), Floats::load_first(p + 4, n - 4));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    for (int i = 0; i < 4; ++i) {
      const float64x2_t difference = vsubq_f64(a.pairs[i], b.pairs[i]);
      sum.pairs[i] = vaddq_f64(sum.pairs[i], vmulq_f64(difference, difference));
    }
    return sum;
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) {
    for (int i = 0; i < 4; ++i) sum.pairs[i] = vfmaq_f64(sum.pairs[i], a.pairs[i], b.pairs[i]);
    return sum;
  }
  /// Adds adjacent lanes, then adjacent pairs, then fours: the order that every instruction set uses.
  static double total(Accumulator sum) {
    const float64x2_t low = vpaddq_f64(sum.pairs[0], sum.pairs[1]), high = vpaddq_f64(sum.pairs[2], sum.pairs[3]);
    return vpaddd_f64(vpaddq_f64(low, high));
  }
};

/// Sixteen bytes. The absolute difference of two bytes fits a byte; UDOT adds its square in 32 bits.
template <class Byte>
struct Integers;

template <>
struct Integers<std::uint8_t> {
  using Register = uint8x16_t;
  using Accumulator = uint32x4_t;
  static constexpr std::size_t lanes = 16;

  static Accumulator zero() { return vdupq_n_u32(0); }
  static Register load(const std::uint8_t* p) { return vld1q_u8(p); }
  static Register load_first(const std::uint8_t* p, std::size_t n) { return load_first_bytes(p, n); }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = vabdq_u8(a, b);
    return vdotq_u32(sum, difference, difference);
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return vdotq_u32(sum, a, b); }
  static Accumulator add(Accumulator a, Accumulator b) { return vaddq_u32(a, b); }
  static float total(Accumulator sum) { return static_cast<float>(vaddvq_u32(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    vst1q_f32(out, vcvtq_f32_u32(vpaddq_u32(vpaddq_u32(sums[0], sums[1]), vpaddq_u32(sums[2], sums[3]))));
  }
};

template <>
struct Integers<std::int8_t> {
  using Register = int8x16_t;
  using Accumulator = int32x4_t;
  static constexpr std::size_t lanes = 16;

  static Accumulator zero() { return vdupq_n_s32(0); }
  static Register load(const std::int8_t* p) { return vld1q_s8(p); }
  static Register load_first(const std::int8_t* p, std::size_t n) {
    return vreinterpretq_s8_u8(load_first_bytes(p, n));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const uint8x16_t difference = vreinterpretq_u8_s8(vabdq_s8(a, b));
    return vreinterpretq_s32_u32(vdotq_u32(vreinterpretq_u32_s32(sum), difference, difference));
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return vdotq_s32(sum, a, b); }
  static Accumulator add(Accumulator a, Accumulator b) { return vaddq_s32(a, b); }
  static float total(Accumulator sum) { return static_cast<float>(vaddvq_s32(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    vst1q_f32(out, vcvtq_f32_s32(vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]))));
  }
};

/// Dot products of codes and signed bytes, sixteen at a time, widened to 16 bits.
struct Codes {
  using Accumulator = int32x4_t;

  static Accumulator zero() { return vdupq_n_s32(0); }
  static int8x16_t load_query(const std::int8_t* p) { return vld1q_s8(p); }
  static Accumulator add_product(Accumulator sum, int8x16_t query, uint8x16_t codes) {
    const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(codes)));
    const int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(codes)));
    const int16x8_t low_query = vmovl_s8(vget_low_s8(query)), high_query = vmovl_s8(vget_high_s8(query));
    sum = vmlal_s16(sum, vget_low_s16(low), vget_low_s16(low_query));
    sum = vmlal_s16(sum, vget_high_s16(low), vget_high_s16(low_query));
    sum = vmlal_s16(sum, vget_low_s16(high), vget_low_s16(high_query));
    return vmlal_s16(sum, vget_high_s16(high), vget_high_s16(high_query));
  }
  static void totals(const Accumulator (&sums)[4], float* out) { Integers<std::int8_t>::totals(sums, out); }
};

struct DotU8 : Codes {
  static constexpr std::size_t bytes = 16, codes_per_byte = 1;
  static uint8x16_t load_codes(const std::byte* p) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
};

/// Two codes per byte, the first in the low half.
struct DotU4 : Codes {
  static constexpr std::size_t bytes = 8, codes_per_byte = 2;
  static uint8x16_t load_codes(const std::byte* p) {
    const uint16x8_t wide = vmovl_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(p)));
    return vandq_u8(vreinterpretq_u8_u16(vorrq_u16(wide, vshlq_n_u16(wide, 4))), vdupq_n_u8(15));
  }
};

/// Four codes per byte, the first in the lowest bits.
struct DotU2 : Codes {
  static constexpr std::size_t bytes = 4, codes_per_byte = 4;
  static uint8x16_t load_codes(const std::byte* p) {
    std::uint32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    const uint8x16_t byte = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
    const int8x16_t down = {0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6, 0, -2, -4, -6};
    const uint8x16_t spread = vqtbl1q_u8(vreinterpretq_u8_u32(vdupq_n_u32(four)), byte);
    return vandq_u8(vshlq_u8(spread, down), vdupq_n_u8(3));
  }
};

/// Eight codes per byte, the first in the lowest bit.
struct DotU1 : Codes {
  static constexpr std::size_t bytes = 2, codes_per_byte = 8;
  static uint8x16_t load_codes(const std::byte* p) {
    const auto* bits = reinterpret_cast<const std::uint8_t*>(p);
    const uint8x16_t lane = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return vandq_u8(vtstq_u8(vcombine_u8(vdup_n_u8(bits[0]), vdup_n_u8(bits[1])), lane), vdupq_n_u8(1));
  }
};

/// Sixteen bytes of packed bits.
struct Bits {
  using Register = uint8x16_t;
  using Accumulator = uint32x4_t;
  static constexpr std::size_t lanes = 16;

  static Accumulator zero() { return vdupq_n_u32(0); }
  static Register load(const std::uint8_t* p) { return vld1q_u8(p); }
  static Register load_first(const std::uint8_t* p, std::size_t n) { return load_first_bytes(p, n); }
  static Accumulator add_differing(Accumulator sum, Register a, Register b) {
    return vdotq_u32(sum, vcntq_u8(veorq_u8(a, b)), vdupq_n_u8(1));
  }
  static Accumulator add(Accumulator a, Accumulator b) { return vaddq_u32(a, b); }
  static float total(Accumulator sum) { return static_cast<float>(vaddvq_u32(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) { Integers<std::uint8_t>::totals(sums, out); }
};

/// The epilogue of a tile: computes keys, compares them with limits and returns masks.
struct Keys {
  using Register = float32x4_t;
  static constexpr std::size_t lanes = 4;

  static Register load(const float* p) { return vld1q_f32(p); }
  static Register broadcast(float x) { return vdupq_n_f32(x); }
  static void store(float* p, Register x) { vst1q_f32(p, x); }
  static Register bias_minus_scaled(Register bias, Register scale, Register x) { return vfmsq_f32(bias, scale, x); }
  /// One bit per lane, set unless key > limit. Bits of NaN keys are set.
  static std::uint32_t not_above(Register key, Register limit) {
    const std::uint32_t weights[4] = {1, 2, 4, 8};
    return vaddvq_u32(vbicq_u32(vld1q_u32(weights), vcgtq_f32(key, limit)));
  }
};

/// Two 64-bit integers.
struct Int64s {
  using Register = int64x2_t;
  static constexpr std::size_t lanes = 2;

  static Register load(const std::int64_t* p) { return vld1q_s64(p); }
  static Register broadcast(std::int64_t x) { return vdupq_n_s64(x); }
  static void store(std::int64_t* p, Register x) { vst1q_s64(p, x); }
  static Register min(Register a, Register b) { return vbslq_s64(vcgtq_s64(a, b), b, a); }
  static Register max(Register a, Register b) { return vbslq_s64(vcgtq_s64(a, b), a, b); }
  static std::size_t count_below(Register a, Register b) {
    return static_cast<std::size_t>(vaddvq_u64(vshrq_n_u64(vcgtq_s64(b, a), 63)));
  }
};

using Block = uint32x4_t;
inline void store_block(void* p, Block block) { vst1q_u32(static_cast<std::uint32_t*>(p), block); }
/// Transposes four registers of four 32-bit units, for packing a panel.
inline void transpose(Block (&r)[4]) {
  const uint32x4x2_t ab = vtrnq_u32(r[0], r[1]), cd = vtrnq_u32(r[2], r[3]);
  r[0] = vcombine_u32(vget_low_u32(ab.val[0]), vget_low_u32(cd.val[0]));
  r[1] = vcombine_u32(vget_low_u32(ab.val[1]), vget_low_u32(cd.val[1]));
  r[2] = vcombine_u32(vget_high_u32(ab.val[0]), vget_high_u32(cd.val[0]));
  r[3] = vcombine_u32(vget_high_u32(ab.val[1]), vget_high_u32(cd.val[1]));
}

/// Tile arithmetic on floats: one unit is one element.
struct FloatTile {
  using Unit = float;
  using Register = float32x4_t;
  using Accumulator = float32x4_t;
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t elements_per_unit = 1;
  static constexpr int row_shift = 0;

  /// The bits of the units from element i on; zeros past dim.
  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t dim, const float* center) {
    const bool whole = i + lanes <= dim;
    Register x = whole ? Floats::load(row + i) : Floats::load_first(row + i, dim - i);
    if (center) x = vsubq_f32(x, whole ? Floats::load(center + i) : Floats::load_first(center + i, dim - i));
    return vreinterpretq_u32_f32(x);
  }
  static Accumulator start(float x) { return vdupq_n_f32(x); }
  static Register load(const Unit* p) { return vld1q_f32(p); }
  static Register broadcast(const Unit* p) { return vld1q_dup_f32(p); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return vfmaq_f32(sum, rows, query);
  }
  static float32x4_t to_float(Accumulator sum) { return sum; }
  static Accumulator add_square(Accumulator sum, Register rows) { return vfmaq_f32(sum, rows, rows); }
  static Accumulator add_element(Accumulator sum, Register rows) { return vaddq_f32(sum, rows); }
};

/// The same unit (four bytes) of codes of four rows.
struct Columns {
  using Register = uint8x16_t;
  using Query = int8x16_t;
  using Accumulator = int32x4_t;
  static constexpr std::size_t lanes = 4, queries_per_pass = 2;

  static Accumulator zero() { return vdupq_n_s32(0); }
  static Register load(const std::byte* p) { return vld1q_u8(reinterpret_cast<const std::uint8_t*>(p)); }
  static Query broadcast(const std::int32_t* p) { return vreinterpretq_s8_s32(vld1q_dup_s32(p)); }
  template <int bits>
  static Register lowest(Register x) {
    return bits == 8 ? x : vandq_u8(x, vdupq_n_u8((1 << bits) - 1));
  }
  /// Shifts the lowest code out of each byte. Bits above the remaining codes are undefined.
  template <int bits>
  static Register without_lowest(Register x) {
    if constexpr (bits == 8) return x;
    return vshrq_n_u8(x, bits == 8 ? 1 : bits);
  }
  template <int bits>
  static Accumulator add_product(Accumulator sum, Register codes, Query query) {
    if constexpr (bits < 8) return vdotq_s32(sum, vreinterpretq_s8_u8(codes), query);
    // SDOT takes signed bytes, so u is split: u = (u & 127) + 2 * (64 * (u >> 7)).
    const int8x16_t low = vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(127)));
    const int8x16_t high = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(codes, 1), vdupq_n_u8(64)));
    sum = vdotq_s32(sum, low, query);
    sum = vdotq_s32(sum, high, query);
    return vdotq_s32(sum, high, query);
  }
  static float32x4_t to_float(Accumulator sum) { return vcvtq_f32_s32(sum); }
};

/// Tile arithmetic on bytes: one unit is four signed elements (SDOT).
struct ByteTile {
  using Unit = std::int32_t;
  using Register = int8x16_t;
  using Accumulator = int32x4_t;
  static constexpr std::size_t lanes = 4;
  static constexpr std::size_t elements_per_unit = 4;
  static constexpr int row_shift = 0;

  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t dim, const float*) {
    const std::size_t n = dim - i < 16 ? dim - i : 16;
    uint8x16_t x = load_first_bytes(row + i, n);
    if constexpr (!(X(-1) < X(0))) {
      const std::uint8_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
      const uint8x16_t is_element = vcltq_u8(vld1q_u8(lane), vdupq_n_u8(static_cast<std::uint8_t>(n)));
      x = veorq_u8(x, vandq_u8(is_element, vdupq_n_u8(128)));  // elements past the end must be zero after the shift
    }
    return vreinterpretq_u32_u8(x);
  }
  static Accumulator start(std::int32_t x) { return vdupq_n_s32(x); }
  static Register load(const Unit* p) { return vreinterpretq_s8_s32(vld1q_s32(p)); }
  static Register broadcast(const Unit* p) { return vreinterpretq_s8_s32(vld1q_dup_s32(p)); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return vdotq_s32(sum, rows, query);
  }
  static float32x4_t to_float(Accumulator sum) { return vcvtq_f32_s32(sum); }
  static Accumulator add_square(Accumulator sum, Register rows) { return vdotq_s32(sum, rows, rows); }
  static Accumulator add_element(Accumulator sum, Register rows) { return vdotq_s32(sum, rows, vdupq_n_s8(1)); }
};

}  // namespace
}  // namespace lookalike::neon
