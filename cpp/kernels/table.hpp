// THE LIST of kernels: one table per instruction set, chosen once. To add a kernel, add a member here and a line in
// fill.hpp; nothing compiles until every instruction set has it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "kernels/code_block.hpp"
#include "kernels/code_row.hpp"

namespace lookalike {

/// out[i] = distance(query, row i), rows `stride` bytes apart. Smaller is nearer, always. Rows may be unaligned;
/// nothing past the last element of a row is read, and a row's distance is the same to the last bit whatever rows it
/// was asked for with.
template <class Q>
using ScanKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, std::size_t count,
                            std::size_t dim, float* out) noexcept;

/// out[i] = distance(query, row picks[i]); prefetches ahead.
template <class Q>
using GatherKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks,
                              std::size_t count, std::size_t dim, float* out) noexcept;

template <class Q>
struct Kernels {
  ScanKernel<Q> scan;
  GatherKernel<Q> gather;
};

/// Sums over row picks[i] in double precision, the same to the last bit on every instruction set: of products and of
/// integers nothing is rounded but the sum. Rows may be unaligned. Rows picks[count] to picks[count + ahead - 1], which
/// will be asked for next, are prefetched.
template <class Q>
using PreciseKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks,
                               std::size_t count, std::size_t ahead, std::size_t dim, double* out) noexcept;

template <class Q>
struct PreciseKernels {
  PreciseKernel<Q> squared_l2, product;  // out[i]
  PreciseKernel<Q> product_and_square;   // out[2 * i] = <query, row>, out[2 * i + 1] = <row, row>
};

/// out[i] = bias + step * (scale * <query, codes> + shift) of row picks[i]; prefetches ahead. A row is `stride` bytes
/// of codes, the last of them taken by its CodeTail.
using CodeKernel = void (*)(const CodeQuery& query, const std::byte* rows, std::size_t stride, const Row* picks,
                            std::size_t count, float* out) noexcept;

/// out[query * blocks * CodeBlock::rows + row] = bias + step * (scale * <query, codes> + shift) of every row of
/// consecutive blocks of `units` units each, for `count` queries. A row's result is the same to the last bit whatever
/// queries and blocks it was asked for with.
using BlockKernel = void (*)(const BlockQuery* queries, std::size_t count, const std::byte* blocks, std::size_t units,
                             std::size_t block_count, float* out) noexcept;

/// A block of a matrix product Q X^T whose sums never leave the registers: `queries` queries against `rows` rows, both
/// packed unit by unit into panels, turned into keys
///     key = bias[row] - scale[row] * (start[query] + <query, row>)
/// and compared with each query's limit.
///
/// Byte tiles multiply signed bytes: u8 data are first shifted by -128 (so <query, row> is over the shifted values).
struct TileKernel {
  std::size_t rows;               // rows in a panel
  std::size_t queries;            // queries in a panel
  std::size_t elements_per_unit;  // panels hold ceil(dim / elements_per_unit) units a row
  std::size_t query_header;       // bytes before a query panel's units

  /// Bytes of one panel.
  std::size_t row_panel_bytes(std::size_t dim) const { return units(dim) * rows * 4; }
  std::size_t query_panel_bytes(std::size_t dim) const { return query_header + units(dim) * queries * 4; }
  std::size_t units(std::size_t dim) const { return (dim + elements_per_unit - 1) / elements_per_unit; }

  /// Packs `count` <= rows rows, zeros for the missing ones. `center` (dim floats, or null) is subtracted; float tiles
  /// only. `element` is the rows' type: any but bits for a float tile, u8 or s8 for a byte tile.
  void (*pack_rows)(const std::byte* const* rows, Element element, std::size_t count, std::size_t dim,
                    const float* center, void* panel) noexcept;
  /// Packs `count` <= queries queries (float32 for a float tile; u8 or s8 for a byte tile). `start`, one a query, is
  /// what the products are added to: float for a float tile, int32 for a byte tile; null means zeros.
  void (*pack_queries)(const std::byte* const* queries, Element element, std::size_t count, std::size_t dim,
                       const float* center, const void* start, void* panel) noexcept;
  /// Over each packed row: the sum of its elements and of their squares.
  void (*row_sums)(const void* row_panel, std::size_t dim, float* sums, float* squares) noexcept;
  /// Writes keys[query * rows + row], and into masks[query] one bit a row where key > limits[query] does not hold.
  /// Returns one bit a query whose mask is not empty.
  std::uint32_t (*multiply)(const void* row_panel, const void* query_panel, std::size_t dim, const float* bias,
                            const float* scale, const float* limits, float* keys, std::uint32_t* masks) noexcept;
};

inline constexpr std::size_t sorted_margin = 8;

struct KernelTable {
  const char* isa;
  // float queries against rows of any number type
  Kernels<float> squared_l2_f32, squared_l2_f16, squared_l2_f32_u8, squared_l2_f32_s8;
  Kernels<float> inner_product_f32, inner_product_f16, inner_product_f32_u8, inner_product_f32_s8;  // negated
  // integers against integers: exact while the sum is below 2^31 (dim <= 33025), rounded once to float
  Kernels<std::uint8_t> squared_l2_u8, inner_product_u8;
  Kernels<std::int8_t> squared_l2_s8, inner_product_s8;
  // in double precision: float queries against rows of any number type, and integers against integers
  PreciseKernels<float> precise_f32, precise_f16, precise_f32_u8, precise_f32_s8;
  PreciseKernels<std::uint8_t> precise_u8;
  PreciseKernels<std::int8_t> precise_s8;
  PreciseKernel<Half> precise_product_halves;
  // codes of 8, 4, 2 and 1 bits against signed bytes
  CodeKernel dot_u8, dot_u4, dot_u2, dot_u1;
  BlockKernel block_u8, block_u4, block_u2, block_u1;
  // packed bits; dim counts bytes
  Kernels<std::uint8_t> hamming;
  // blocks of matrix products
  TileKernel tile_f32, tile_bytes;
  /// out[i] = values[i], exactly.
  void (*widen)(const Half* values, std::size_t count, float* out) noexcept;
  /// out[i] = values[i] / step, rounded to the nearest integer, ties to even; returns the step, with which the largest
  /// magnitude becomes 127, or 0, with zeros, where all are as good as 0.
  float (*round_to_bytes)(const float* values, std::size_t count, std::int8_t* out) noexcept;
  /// positions[...] = every i with !(values[i] > limit); returns how many. There is room for `count`.
  std::size_t (*find_not_above)(const float* values, std::size_t count, float limit, std::uint32_t* positions) noexcept;
  /// How many i there are with !(values[i] > limit).
  std::size_t (*count_not_above)(const float* values, std::size_t count, float limit) noexcept;
  /// Puts `value` into its place among `count` ascending values, of which the last drops out; returns the place, which
  /// is `count` where the value itself is dropped. values[-1] must be readable and not above any value; before it and
  /// behind the last, `sorted_margin` values must be there.
  std::size_t (*insert_sorted)(std::int64_t* values, std::size_t count, std::int64_t value) noexcept;
};

/// The table in use: the best this CPU runs, or the one LOOKALIKE_ISA names.
const KernelTable& kernels() noexcept;

}  // namespace lookalike
