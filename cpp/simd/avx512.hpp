// AVX-512 with VNNI and VPOPCNTDQ (Ice Lake, Zen 4 and later).
// Included by kernels/table_avx512.cpp alone: everything has internal linkage and uses no standard library.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace lookalike::avx512 {
namespace {

struct Memory {
  static void prefetch(const void* address) { _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0); }
};

inline __mmask16 first16(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1); }
inline __mmask64 first64(std::size_t n) { return n >= 64 ? ~0ull : (1ull << n) - 1; }

// Inline assembly, because GCC copies and spills the accumulators of the VNNI intrinsics (PR 94663).
inline __m512i dot_u8_s8(__m512i sum, __m512i unsigned_bytes, __m512i signed_bytes) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(unsigned_bytes), "v"(signed_bytes));
  return sum;
}

inline __m128 add_quarters(__m512 x) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}
inline __m128i add_quarters(__m512i x) {
  const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/// The sums of the lanes of four registers, as floats.
inline void totals_of(const __m512i (&sums)[4], float* out) {
  const __m128i ab = _mm_hadd_epi32(add_quarters(sums[0]), add_quarters(sums[1]));
  const __m128i cd = _mm_hadd_epi32(add_quarters(sums[2]), add_quarters(sums[3]));
  _mm_storeu_ps(out, _mm_cvtepi32_ps(_mm_hadd_epi32(ab, cd)));
}
inline float total_of(__m128i x) {
  x = _mm_hadd_epi32(x, x);
  return static_cast<float>(_mm_cvtsi128_si32(_mm_hadd_epi32(x, x)));
}

/// Sixteen floats, converted from any stored number type.
struct Floats {
  using Register = __m512;
  using Accumulator = __m512;
  static constexpr std::size_t lanes = 16;

  static Accumulator zero() { return _mm512_setzero_ps(); }
  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static Register load(const Half* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Register load(const std::uint8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static Register load(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  /// The first n < lanes elements, then zeros. Reads nothing past them.
  static Register load_first(const float* p, std::size_t n) { return _mm512_maskz_loadu_ps(first16(n), p); }
  static Register load_first(const Half* p, std::size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first16(n), p));
  }
  static Register load_first(const std::uint8_t* p, std::size_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first16(n), p)));
  }
  static Register load_first(const std::int8_t* p, std::size_t n) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first16(n), p)));
  }
  static void store(float* p, Register x) { _mm512_storeu_ps(p, x); }
  static Register larger_magnitude(Register a, Register b) { return _mm512_max_ps(a, _mm512_abs_ps(b)); }
  /// Stores x * scale, rounded to the nearest integers, ties to even. The results must fit a byte.
  static void store_bytes(std::int8_t* p, Register x, float scale) {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(scale)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtsepi32_epi8(rounded));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = _mm512_sub_ps(a, b);
    return _mm512_fmadd_ps(difference, difference, sum);
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return _mm512_fmadd_ps(a, b, sum); }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm512_add_ps(a, b); }
  static float total(Accumulator sum) {
    const __m128 x = add_quarters(sum), pairs = _mm_hadd_ps(x, x);  // same order of additions as in totals()
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  static void totals(const Accumulator (&sums)[4], float* out) {
    __m128 a = add_quarters(sums[0]), b = add_quarters(sums[1]), c = add_quarters(sums[2]), d = add_quarters(sums[3]);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(out, _mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d)));
  }
};

/// Eight doubles, converted from any stored number type. Products of stored numbers are exact in double, so FMA gives
/// the same result as separate rounding. Squared differences are not exact, so they are rounded before they are added.
struct Doubles {
  using Register = __m512d;
  using Accumulator = __m512d;
  static constexpr std::size_t rows = 4;

  static __m256i words(__m128i bytes, std::uint8_t) { return _mm256_cvtepu8_epi32(bytes); }
  static __m256i words(__m128i bytes, std::int8_t) { return _mm256_cvtepi8_epi32(bytes); }

  static Accumulator zero() { return _mm512_setzero_pd(); }
  static Register load(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
  static Register load(const Half* p) {
    return _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  template <class Byte>
  static Register load(const Byte* p) {
    return _mm512_cvtepi32_pd(words(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), Byte{}));
  }
  /// The first n < 8 elements, then zeros. Reads nothing past them.
  static Register load_first(const float* p, std::size_t n) {
    return _mm512_cvtps_pd(_mm256_maskz_loadu_ps(static_cast<__mmask8>(first16(n)), p));
  }
  static Register load_first(const Half* p, std::size_t n) {
    return _mm512_cvtps_pd(_mm256_cvtph_ps(_mm_maskz_loadu_epi16(static_cast<__mmask8>(first16(n)), p)));
  }
  template <class Byte>
  static Register load_first(const Byte* p, std::size_t n) {
    return _mm512_cvtepi32_pd(words(_mm_maskz_loadu_epi8(first16(n), p), Byte{}));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = _mm512_sub_pd(a, b);
    return _mm512_add_pd(sum, _mm512_mul_pd(difference, difference));
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return _mm512_fmadd_pd(a, b, sum); }
  /// Adds adjacent lanes, then adjacent pairs, then fours: the order that every instruction set uses.
  static double total(Accumulator sum) {
    const __m256d pairs = _mm256_hadd_pd(_mm512_castpd512_pd256(sum), _mm512_extractf64x4_pd(sum, 1));
    const __m128d fours = _mm_add_pd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd(pairs, 1));
    return _mm_cvtsd_f64(_mm_hadd_pd(fours, fours));
  }
};

/// Sixty-four bytes. VPDPBUSD multiplies unsigned by signed bytes only. One operand v is therefore replaced by 127 - v,
/// which negates the sum: u * (127 - v) - 127 * u = -u * v.
template <class Byte>
struct Integers {
  using Register = __m512i;
  using Accumulator = __m512i;  // the negated sum
  static constexpr std::size_t lanes = 64;
  static constexpr bool is_signed = Byte(-1) < Byte(0);

  /// 127 - x, which turns unsigned bytes into signed ones and signed bytes into unsigned ones.
  static Register turned(Register x) { return _mm512_xor_si512(x, _mm512_set1_epi8(127)); }
  static Accumulator zero() { return _mm512_setzero_si512(); }
  static Register load(const Byte* p) { return _mm512_loadu_si512(p); }
  static Register load_first(const Byte* p, std::size_t n) { return _mm512_maskz_loadu_epi8(first64(n), p); }
  static Accumulator subtract_unsigned(Accumulator sum, Register u, Register v) {
    return dot_u8_s8(dot_u8_s8(sum, u, turned(v)), u, _mm512_set1_epi8(-127));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = is_signed ? _mm512_sub_epi8(_mm512_max_epi8(a, b), _mm512_min_epi8(a, b))
                                          : _mm512_sub_epi8(_mm512_max_epu8(a, b), _mm512_min_epu8(a, b));
    return subtract_unsigned(sum, difference, difference);
  }
  static Accumulator add_product(Accumulator sum, Register query, Register row) {
    if constexpr (is_signed) {
      const __m512i of_query = dot_u8_s8(_mm512_setzero_si512(), _mm512_set1_epi8(127), query);
      return _mm512_sub_epi32(dot_u8_s8(sum, turned(row), query), of_query);
    }
    return subtract_unsigned(sum, row, query);
  }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm512_add_epi32(a, b); }
  static float total(Accumulator sum) { return 0 - total_of(add_quarters(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    totals_of(sums, out);
    _mm_storeu_ps(out, _mm_sub_ps(_mm_setzero_ps(), _mm_loadu_ps(out)));  // 0 - x, because negating 0 would give -0
  }
};

/// Dot products of codes and signed bytes, sixty-four at a time.
struct Codes {
  using Accumulator = __m512i;

  static Accumulator zero() { return _mm512_setzero_si512(); }
  static __m512i load_query(const std::int8_t* p) { return _mm512_loadu_si512(p); }
  static Accumulator add_product(Accumulator sum, __m512i query, __m512i codes) { return dot_u8_s8(sum, codes, query); }
  static void totals(const Accumulator (&sums)[4], float* out) { totals_of(sums, out); }
};

struct DotU8 : Codes {
  static constexpr std::size_t bytes = 64, codes_per_byte = 1;
  static __m512i load_codes(const std::byte* p) { return _mm512_loadu_si512(p); }
};

/// Two codes per byte, the first in the low half.
struct DotU4 : Codes {
  static constexpr std::size_t bytes = 32, codes_per_byte = 2;
  static __m512i load_codes(const std::byte* p) {
    const __m512i wide = _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_and_si512(_mm512_or_si512(wide, _mm512_slli_epi16(wide, 4)), _mm512_set1_epi8(15));
  }
};

/// Four codes per byte, the first in the lowest bits.
struct DotU2 : Codes {
  static constexpr std::size_t bytes = 16, codes_per_byte = 4;
  static __m512i load_codes(const std::byte* p) {
    const __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    const __m512i low = _mm512_or_si512(wide, _mm512_slli_epi32(wide, 6));
    return _mm512_and_si512(_mm512_or_si512(low, _mm512_slli_epi32(low, 12)), _mm512_set1_epi8(3));
  }
};

/// Eight codes per byte, the first in the lowest bit.
struct DotU1 : Codes {
  static constexpr std::size_t bytes = 8, codes_per_byte = 8;
  static __m512i load_codes(const std::byte* p) {
    __mmask64 bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    return _mm512_maskz_set1_epi8(bits, 1);
  }
};

/// Sixty-four bytes of packed bits.
struct Bits {
  using Register = __m512i;
  using Accumulator = __m512i;
  static constexpr std::size_t lanes = 64;

  static Accumulator zero() { return _mm512_setzero_si512(); }
  static Register load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static Register load_first(const std::uint8_t* p, std::size_t n) { return _mm512_maskz_loadu_epi8(first64(n), p); }
  static Accumulator add_differing(Accumulator sum, Register a, Register b) {
    return _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(a, b)));
  }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm512_add_epi64(a, b); }
  static float total(Accumulator sum) { return total_of(add_quarters(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    // The counts fit 32 bits, so the upper halves of the 64-bit lanes are zero and can be added as 32-bit lanes.
    totals_of(sums, out);
  }
};

/// The epilogue of a tile: computes keys, compares them with limits and returns masks.
struct Keys {
  using Register = __m512;
  static constexpr std::size_t lanes = 16;

  static Register load(const float* p) { return _mm512_loadu_ps(p); }
  static Register broadcast(float x) { return _mm512_set1_ps(x); }
  static void store(float* p, Register x) { _mm512_storeu_ps(p, x); }
  static Register bias_minus_scaled(Register bias, Register scale, Register x) {
    return _mm512_fnmadd_ps(scale, x, bias);
  }
  /// One bit per lane, set unless key > limit. Bits of NaN keys are set.
  static std::uint32_t not_above(Register key, Register limit) { return _mm512_cmp_ps_mask(key, limit, _CMP_NGT_UQ); }
  /// Writes `first` plus the position of each set bit of `mask`. Always writes `lanes` values; the rest is undefined.
  static void store_positions(std::uint32_t mask, std::uint32_t first, std::uint32_t* out) {
    const __m512i lane_numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i positions = _mm512_add_epi32(lane_numbers, _mm512_set1_epi32(static_cast<int>(first)));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask), positions));
  }
};

/// Eight 64-bit integers.
struct Int64s {
  using Register = __m512i;
  static constexpr std::size_t lanes = 8;

  static Register load(const std::int64_t* p) { return _mm512_loadu_si512(p); }
  static Register broadcast(std::int64_t x) { return _mm512_set1_epi64(x); }
  static void store(std::int64_t* p, Register x) { _mm512_storeu_si512(p, x); }
  static Register min(Register a, Register b) { return _mm512_min_epi64(a, b); }
  static Register max(Register a, Register b) { return _mm512_max_epi64(a, b); }
  static std::size_t count_below(Register a, Register b) {
    return static_cast<std::size_t>(__builtin_popcount(_mm512_cmplt_epi64_mask(a, b)));
  }
};

/// Transposes sixteen registers of sixteen 32-bit units, for packing a panel.
using Block = __m512i;
inline void store_block(void* p, Block block) { _mm512_storeu_si512(p, block); }
inline void transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

/// Tile arithmetic on floats: one unit is one element.
struct FloatTile {
  using Unit = float;
  using Register = __m512;
  using Accumulator = __m512;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t elements_per_unit = 1;
  static constexpr int row_shift = 0;

  /// The bits of the units from element i on; zeros past dim.
  template <class X>
  static __m512i pack(const X* row, std::size_t i, std::size_t dim, const float* center) {
    const bool whole = i + lanes <= dim;
    Register x = whole ? Floats::load(row + i) : Floats::load_first(row + i, dim - i);
    if (center) x = _mm512_sub_ps(x, whole ? Floats::load(center + i) : Floats::load_first(center + i, dim - i));
    return _mm512_castps_si512(x);
  }
  static Accumulator start(float x) { return _mm512_set1_ps(x); }
  static Register load(const Unit* p) { return _mm512_loadu_ps(p); }
  static Register broadcast(const Unit* p) { return _mm512_set1_ps(*p); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return _mm512_fmadd_ps(rows, query, sum);
  }
  static __m512 to_float(Accumulator sum) { return sum; }
  static Accumulator add_square(Accumulator sum, Register rows) { return _mm512_fmadd_ps(rows, rows, sum); }
  static Accumulator add_element(Accumulator sum, Register rows) { return _mm512_add_ps(sum, rows); }
};

/// The same unit (four bytes) of codes of sixteen rows.
struct Columns {
  using Register = __m512i;
  using Query = __m512i;
  using Accumulator = __m512i;
  static constexpr std::size_t lanes = 16, queries_per_pass = 4;

  static Accumulator zero() { return _mm512_setzero_si512(); }
  static Register load(const std::byte* p) { return _mm512_loadu_si512(p); }
  static Query broadcast(const std::int32_t* p) { return _mm512_set1_epi32(*p); }
  template <int bits>
  static Register lowest(Register x) {
    return bits == 8 ? x : _mm512_and_si512(x, _mm512_set1_epi8(static_cast<char>((1 << bits) - 1)));
  }
  /// Shifts the lowest code out of each byte. Bits above the remaining codes are undefined.
  template <int bits>
  static Register without_lowest(Register x) {
    return bits == 8 ? x : _mm512_srli_epi16(x, bits);
  }
  template <int bits>
  static Accumulator add_product(Accumulator sum, Register codes, Query query) {
    return dot_u8_s8(sum, codes, query);
  }
  static __m512 to_float(Accumulator sum) { return _mm512_cvtepi32_ps(sum); }
};

/// Tile arithmetic on bytes: one unit is four elements, rows shifted to unsigned, queries signed (VPDPBUSD).
struct ByteTile {
  using Unit = std::int32_t;
  using Register = __m512i;
  using Accumulator = __m512i;
  static constexpr std::size_t lanes = 16;
  static constexpr std::size_t elements_per_unit = 4;
  static constexpr int row_shift = 128;

  template <class X>
  static __m512i pack(const X* row, std::size_t i, std::size_t dim, const float*) {
    const __mmask64 mask = first64(dim - i);
    const __m512i zero = _mm512_set1_epi8(-128);  // 0, shifted to unsigned
    if constexpr (X(-1) < X(0)) return _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, row + i), zero);
    return _mm512_mask_loadu_epi8(zero, mask, row + i);
  }
  static Accumulator start(std::int32_t x) { return _mm512_set1_epi32(x); }
  static Register load(const Unit* p) { return _mm512_loadu_si512(p); }
  static Register broadcast(const Unit* p) { return _mm512_set1_epi32(*p); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return dot_u8_s8(sum, rows, query);
  }
  static __m512 to_float(Accumulator sum) { return _mm512_cvtepi32_ps(sum); }
  /// Adds the squares of the unshifted elements x = u - 128: x * x = u * x - 128 * x.
  static Accumulator add_square(Accumulator sum, Register rows) {
    const __m512i x = _mm512_xor_si512(rows, _mm512_set1_epi8(-128));
    const __m512i with_shift = dot_u8_s8(sum, rows, x);
    const __m512i element_sum =
        _mm512_sub_epi32(dot_u8_s8(_mm512_setzero_si512(), rows, _mm512_set1_epi8(1)), _mm512_set1_epi32(4 * 128));
    return _mm512_sub_epi32(with_shift, _mm512_slli_epi32(element_sum, 7));
  }
  static Accumulator add_element(Accumulator sum, Register rows) {
    return _mm512_sub_epi32(dot_u8_s8(sum, rows, _mm512_set1_epi8(1)), _mm512_set1_epi32(4 * 128));
  }
};

}  // namespace
}  // namespace lookalike::avx512
