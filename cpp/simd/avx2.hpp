// AVX2 with FMA and F16C (Haswell, Zen and later).
// Included by kernels/table_avx2.cpp alone: everything has internal linkage and uses no standard library.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace lookalike::avx2 {
namespace {

struct Memory {
  static void prefetch(const void* address) { _mm_prefetch(static_cast<const char*>(address), _MM_HINT_T0); }
};

inline __m128i load_16_bytes(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
/// The first n <= 16 bytes, then zeros. Reads nothing past them.
inline __m128i load_first_bytes(const void* p, std::size_t n) {
  alignas(16) unsigned char buffer[16] = {};
  __builtin_memcpy(buffer, p, n);
  return _mm_load_si128(reinterpret_cast<const __m128i*>(buffer));
}
inline __m128 add_halves(__m256 x) { return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1)); }
inline __m128i add_halves(__m256i x) {
  return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

inline float total_of(__m128i x) {
  x = _mm_hadd_epi32(x, x);
  return static_cast<float>(_mm_cvtsi128_si32(_mm_hadd_epi32(x, x)));
}

/// Eight floats, converted from any stored number type.
struct Floats {
  using Register = __m256;
  using Accumulator = __m256;
  static constexpr std::size_t lanes = 8;

  static Accumulator zero() { return _mm256_setzero_ps(); }
  static Register from_bytes(__m128i bytes, std::uint8_t) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)); }
  static Register from_bytes(__m128i bytes, std::int8_t) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)); }

  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static Register load(const Half* p) { return _mm256_cvtph_ps(load_16_bytes(p)); }
  template <class Byte>
  static Register load(const Byte* p) {
    return from_bytes(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), Byte{});
  }
  /// The first n < lanes elements, then zeros. Reads nothing past them.
  static Register load_first(const float* p, std::size_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
  }
  static Register load_first(const Half* p, std::size_t n) { return _mm256_cvtph_ps(load_first_bytes(p, 2 * n)); }
  template <class Byte>
  static Register load_first(const Byte* p, std::size_t n) {
    return from_bytes(load_first_bytes(p, n), Byte{});
  }
  static void store(float* p, Register x) { _mm256_storeu_ps(p, x); }
  static Register larger_magnitude(Register a, Register b) {
    return _mm256_max_ps(a, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), b));
  }
  /// Stores x * scale, rounded to the nearest integers, ties to even. The results must fit a byte.
  static void store_bytes(std::int8_t* p, Register x, float scale) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(x, _mm256_set1_ps(scale)));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = _mm256_sub_ps(a, b);
    return _mm256_fmadd_ps(difference, difference, sum);
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) { return _mm256_fmadd_ps(a, b, sum); }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm256_add_ps(a, b); }
  static float total(Accumulator sum) {
    const __m128 x = add_halves(sum), pairs = _mm_hadd_ps(x, x);  // same order of additions as in totals()
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  static void totals(const Accumulator (&sums)[4], float* out) {
    __m128 a = add_halves(sums[0]), b = add_halves(sums[1]), c = add_halves(sums[2]), d = add_halves(sums[3]);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(out, _mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d)));
  }
};

/// Eight doubles, converted from any stored number type. Products of stored numbers are exact in double, so FMA gives
/// the same result as separate rounding. Squared differences are not exact, so they are rounded before they are added.
struct Doubles {
  struct Register {
    __m256d low, high;
  };
  using Accumulator = Register;
  static constexpr std::size_t rows = 2;

  static Register widen(__m256 x) {
    return {_mm256_cvtps_pd(_mm256_castps256_ps128(x)), _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
  }
  static Accumulator zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
  template <class Number>
  static Register load(const Number* p) {
    return widen(Floats::load(p));
  }
  /// The first n < 8 elements, then zeros. Reads nothing past them.
  template <class Number>
  static Register load_first(const Number* p, std::size_t n) {
    return widen(Floats::load_first(p, n));
  }
  static __m256d add_squared_difference(__m256d sum, __m256d a, __m256d b) {
    const __m256d difference = _mm256_sub_pd(a, b);
    return _mm256_add_pd(sum, _mm256_mul_pd(difference, difference));
  }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    return {add_squared_difference(sum.low, a.low, b.low), add_squared_difference(sum.high, a.high, b.high)};
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) {
    return {_mm256_fmadd_pd(a.low, b.low, sum.low), _mm256_fmadd_pd(a.high, b.high, sum.high)};
  }
  /// Adds adjacent lanes, then adjacent pairs, then fours: the order that every instruction set uses.
  static double total(Accumulator sum) {
    const __m256d pairs = _mm256_hadd_pd(sum.low, sum.high);
    const __m128d fours = _mm_add_pd(_mm256_castpd256_pd128(pairs), _mm256_extractf128_pd(pairs, 1));
    return _mm_cvtsd_f64(_mm_hadd_pd(fours, fours));
  }
};

/// Sixteen bytes, widened to 16 bits: VPMADDUBSW on bytes would saturate, because 2 * 255 * 127 > 32767. Sums are
/// 32-bit.
template <class Byte>
struct Integers {
  using Register = __m256i;
  using Accumulator = __m256i;
  static constexpr std::size_t lanes = 16;

  static Accumulator zero() { return _mm256_setzero_si256(); }
  static Register widen(__m128i bytes) {
    if constexpr (Byte(-1) < Byte(0))
      return _mm256_cvtepi8_epi16(bytes);
    else
      return _mm256_cvtepu8_epi16(bytes);
  }
  static Register load(const Byte* p) { return widen(load_16_bytes(p)); }
  static Register load_first(const Byte* p, std::size_t n) { return widen(load_first_bytes(p, n)); }
  static Accumulator add_squared_difference(Accumulator sum, Register a, Register b) {
    const Register difference = _mm256_sub_epi16(a, b);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
  }
  static Accumulator add_product(Accumulator sum, Register a, Register b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm256_add_epi32(a, b); }
  static float total(Accumulator sum) { return total_of(add_halves(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    const __m128i ab = _mm_hadd_epi32(add_halves(sums[0]), add_halves(sums[1]));
    const __m128i cd = _mm_hadd_epi32(add_halves(sums[2]), add_halves(sums[3]));
    _mm_storeu_ps(out, _mm_cvtepi32_ps(_mm_hadd_epi32(ab, cd)));
  }
};

/// Dot products of codes and signed bytes, sixteen at a time, widened to 16 bits.
struct Codes {
  using Accumulator = __m256i;

  static Accumulator zero() { return _mm256_setzero_si256(); }
  static __m256i load_query(const std::int8_t* p) { return _mm256_cvtepi8_epi16(load_16_bytes(p)); }
  static Accumulator add_product(Accumulator sum, __m256i query, __m256i codes) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(codes, query));
  }
  static void totals(const Accumulator (&sums)[4], float* out) { Integers<std::uint8_t>::totals(sums, out); }
};

struct DotU8 : Codes {
  static constexpr std::size_t bytes = 16, codes_per_byte = 1;
  static __m256i load_codes(const std::byte* p) { return _mm256_cvtepu8_epi16(load_16_bytes(p)); }
};

/// Two codes per byte, the first in the low half.
struct DotU4 : Codes {
  static constexpr std::size_t bytes = 8, codes_per_byte = 2;
  static __m256i load_codes(const std::byte* p) {
    const __m128i wide = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    return _mm256_cvtepu8_epi16(_mm_and_si128(_mm_or_si128(wide, _mm_slli_epi16(wide, 4)), _mm_set1_epi8(15)));
  }
};

/// Four codes per byte, the first in the lowest bits.
struct DotU2 : Codes {
  static constexpr std::size_t bytes = 4, codes_per_byte = 4;
  static __m256i load_codes(const std::byte* p) {
    std::int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    const __m128i wide = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
    const __m128i low = _mm_or_si128(wide, _mm_slli_epi32(wide, 6));
    return _mm256_cvtepu8_epi16(_mm_and_si128(_mm_or_si128(low, _mm_slli_epi32(low, 12)), _mm_set1_epi8(3)));
  }
};

/// Eight codes per byte, the first in the lowest bit.
struct DotU1 : Codes {
  static constexpr std::size_t bytes = 2, codes_per_byte = 8;
  static __m256i load_codes(const std::byte* p) {
    std::int16_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    const __m256i lane = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
                                           static_cast<short>(-32768));
    const __m256i set = _mm256_cmpeq_epi16(_mm256_and_si256(_mm256_set1_epi16(bits), lane), lane);
    return _mm256_srli_epi16(set, 15);
  }
};

/// Thirty-two bytes of packed bits. A lookup table counts the bits of each half byte.
struct Bits {
  using Register = __m256i;
  using Accumulator = __m256i;
  static constexpr std::size_t lanes = 32;

  static Accumulator zero() { return _mm256_setzero_si256(); }
  static Register load(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Register load_first(const std::uint8_t* p, std::size_t n) {
    const std::size_t low = n < 16 ? n : 16;
    return _mm256_set_m128i(load_first_bytes(p + low, n - low), load_first_bytes(p, low));
  }
  static Accumulator add_differing(Accumulator sum, Register a, Register b) {
    const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i differing = _mm256_xor_si256(a, b);
    const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(differing, nibble));
    const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(differing, 4), nibble));
    return _mm256_add_epi64(sum, _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256()));
  }
  static Accumulator add(Accumulator a, Accumulator b) { return _mm256_add_epi64(a, b); }
  static float total(Accumulator sum) { return total_of(add_halves(sum)); }
  static void totals(const Accumulator (&sums)[4], float* out) {
    // The counts fit 32 bits, so the upper halves of the 64-bit lanes are zero and can be added as 32-bit lanes.
    Integers<std::uint8_t>::totals(sums, out);
  }
};

/// The epilogue of a tile: computes keys, compares them with limits and returns masks.
struct Keys {
  using Register = __m256;
  static constexpr std::size_t lanes = 8;

  static Register load(const float* p) { return _mm256_loadu_ps(p); }
  static Register broadcast(float x) { return _mm256_set1_ps(x); }
  static void store(float* p, Register x) { _mm256_storeu_ps(p, x); }
  static Register bias_minus_scaled(Register bias, Register scale, Register x) {
    return _mm256_fnmadd_ps(scale, x, bias);
  }
  /// One bit per lane, set unless key > limit. Bits of NaN keys are set.
  static std::uint32_t not_above(Register key, Register limit) {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(key, limit, _CMP_NGT_UQ)));
  }
};

/// Four 64-bit integers.
struct Int64s {
  using Register = __m256i;
  static constexpr std::size_t lanes = 4;

  static Register load(const std::int64_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Register broadcast(std::int64_t x) { return _mm256_set1_epi64x(x); }
  static void store(std::int64_t* p, Register x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static Register min(Register a, Register b) { return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b)); }
  static Register max(Register a, Register b) { return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b)); }
  static std::size_t count_below(Register a, Register b) {
    const int mask = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(b, a)));
    return static_cast<std::size_t>(__builtin_popcount(static_cast<unsigned>(mask)));
  }
};

using Block = __m256i;
inline void store_block(void* p, Block block) { _mm256_storeu_si256(static_cast<__m256i*>(p), block); }
/// Transposes eight registers of eight 32-bit units, for packing a panel.
inline void transpose(Block (&r)[8]) {
  Block t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
  }
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

/// Tile arithmetic on floats: one unit is one element.
struct FloatTile {
  using Unit = float;
  using Register = __m256;
  using Accumulator = __m256;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t elements_per_unit = 1;
  static constexpr int row_shift = 0;

  /// The bits of the units from element i on; zeros past dim.
  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t dim, const float* center) {
    const bool whole = i + lanes <= dim;
    Register x = whole ? Floats::load(row + i) : Floats::load_first(row + i, dim - i);
    if (center) x = _mm256_sub_ps(x, whole ? Floats::load(center + i) : Floats::load_first(center + i, dim - i));
    return _mm256_castps_si256(x);
  }
  static Accumulator start(float x) { return _mm256_set1_ps(x); }
  static Register load(const Unit* p) { return _mm256_loadu_ps(p); }
  static Register broadcast(const Unit* p) { return _mm256_broadcast_ss(p); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return _mm256_fmadd_ps(rows, query, sum);
  }
  static __m256 to_float(Accumulator sum) { return sum; }
  static Accumulator add_square(Accumulator sum, Register rows) { return _mm256_fmadd_ps(rows, rows, sum); }
  static Accumulator add_element(Accumulator sum, Register rows) { return _mm256_add_ps(sum, rows); }
};

/// The same unit (four bytes) of codes of eight rows. Bytes are widened to 16 bits, because sums of two byte products
/// overflow 16 bits.
struct Columns {
  using Register = __m256i;
  struct Query {
    __m256i even, odd;  // even and odd bytes, widened to 16 bits
  };
  using Accumulator = __m256i;
  static constexpr std::size_t lanes = 8, queries_per_pass = 2;

  static Accumulator zero() { return _mm256_setzero_si256(); }
  static Register load(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Query broadcast(const std::int32_t* p) {
    const __m256i x = _mm256_set1_epi32(*p);
    return {_mm256_srai_epi16(_mm256_slli_epi16(x, 8), 8), _mm256_srai_epi16(x, 8)};
  }
  template <int bits>
  static Register lowest(Register x) {
    return bits == 8 ? x : _mm256_and_si256(x, _mm256_set1_epi8(static_cast<char>((1 << bits) - 1)));
  }
  /// Shifts the lowest code out of each byte. Bits above the remaining codes are undefined.
  template <int bits>
  static Register without_lowest(Register x) {
    return bits == 8 ? x : _mm256_srli_epi16(x, bits);
  }
  template <int bits>
  static Accumulator add_product(Accumulator sum, Register codes, Query query) {
    const __m256i even = _mm256_and_si256(codes, _mm256_set1_epi16(255)), odd = _mm256_srli_epi16(codes, 8);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(even, query.even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(odd, query.odd));
  }
  static __m256 to_float(Accumulator sum) { return _mm256_cvtepi32_ps(sum); }
};

/// Tile arithmetic on bytes: one unit is two elements, widened to 16 bits (VPMADDWD).
struct ByteTile {
  using Unit = std::int32_t;
  using Register = __m256i;
  using Accumulator = __m256i;
  static constexpr std::size_t lanes = 8;
  static constexpr std::size_t elements_per_unit = 2;
  static constexpr int row_shift = 0;

  template <class X>
  static Block pack(const X* row, std::size_t i, std::size_t dim, const float*) {
    const std::size_t n = dim - i < 16 ? dim - i : 16;
    __m128i x = n == 16 ? load_16_bytes(row + i) : load_first_bytes(row + i, n);
    if constexpr (!(X(-1) < X(0))) {
      x = _mm_xor_si128(x, _mm_set1_epi8(-128));
      if (n < 16) {  // elements past the end must be zero after the shift
        const __m128i lane = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        x = _mm_and_si128(x, _mm_cmpgt_epi8(_mm_set1_epi8(static_cast<char>(n)), lane));
      }
    }
    return _mm256_cvtepi8_epi16(x);
  }
  static Accumulator start(std::int32_t x) { return _mm256_set1_epi32(x); }
  static Register load(const Unit* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Register broadcast(const Unit* p) { return _mm256_set1_epi32(*p); }
  static Accumulator multiply_add(Accumulator sum, Register rows, Register query) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(rows, query));
  }
  static __m256 to_float(Accumulator sum) { return _mm256_cvtepi32_ps(sum); }
  static Accumulator add_square(Accumulator sum, Register rows) { return multiply_add(sum, rows, rows); }
  static Accumulator add_element(Accumulator sum, Register rows) {
    return multiply_add(sum, rows, _mm256_set1_epi16(1));
  }
};

}  // namespace
}  // namespace lookalike::avx2
