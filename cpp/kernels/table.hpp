// All kernels, as one table of function pointers per instruction set; the table is chosen once. To add a kernel, add a
// member here and a line in fill.hpp. The build fails until every instruction set provides it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"
#include "kernels/code_block.hpp"
#include "kernels/code_row.hpp"

namespace lookalike {

/// out[i] = distance(query, row i) for rows `stride` bytes apart. Smaller is nearer. Rows may be unaligned. Nothing
/// past the last element of a row is read. A row's distance is bit-identical whatever other rows the call measures.
template <class Q>
using ScanKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, std::size_t count,
                            std::size_t dim, float* out) noexcept;

/// out[i] = distance(query, row picks[i]). Prefetches the following picks.
template <class Q>
using GatherKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks,
                              std::size_t count, std::size_t dim, float* out) noexcept;

template <class Q>
struct Kernels {
  ScanKernel<Q> scan;
  GatherKernel<Q> gather;
};

/// Sums over row picks[i] in double precision, bit-identical on every instruction set. Products and integers are exact;
/// only the sum is rounded. Rows may be unaligned. Prefetches rows picks[count] to picks[count + ahead - 1], which the
/// next call measures.
template <class Q>
using PreciseKernel = void (*)(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks,
                               std::size_t count, std::size_t ahead, std::size_t dim, double* out) noexcept;

template <class Q>
struct PreciseKernels {
  PreciseKernel<Q> squared_l2, product;  // out[i]
  PreciseKernel<Q> product_and_square;   // out[2 * i] = <query, row>, out[2 * i + 1] = <row, row>
};

/// out[i] = bias + step * (scale * <query, codes> + shift) for row picks[i]. Prefetches the following picks. A row is
/// `stride` bytes of codes, of which the last hold its CodeTail.
using CodeKernel = void (*)(const CodeQuery& query, const std::byte* rows, std::size_t stride, const Row* picks,
                            std::size_t count, float* out) noexcept;

/// out[query * block_count * CodeBlock::rows + row] = bias + step * (scale * <query, codes> + shift) for every row of
/// `block_count` consecutive blocks of `units` units each, and for `count` queries. A row's result is bit-identical
/// whatever other queries and blocks the call scans.
using BlockKernel = void (*)(const BlockQuery* queries, std::size_t count, const std::byte* blocks, std::size_t units,
                             std::size_t block_count, float* out) noexcept;

/// A register-blocked tile of the matrix product Q X^T: `queries` queries times `rows` rows, both packed into panels.
/// The epilogue computes
///     key = bias[row] - scale[row] * (start[query] + <query, row>)
/// and compares each key with its query's limit.
///
/// Byte tiles multiply signed bytes. u8 data are shifted by -128 first, so <query, row> is over the shifted values.
struct TileKernel {
  std::size_t rows;               // rows per panel
  std::size_t queries;            // queries per panel
  std::size_t elements_per_unit;  // a panel holds ceil(dim / elements_per_unit) units of 4 bytes per row
  std::size_t query_header;       // bytes before a query panel's units

  std::size_t row_panel_bytes(std::size_t dim) const { return units(dim) * rows * 4; }
  std::size_t query_panel_bytes(std::size_t dim) const { return query_header + units(dim) * queries * 4; }
  std::size_t units(std::size_t dim) const { return (dim + elements_per_unit - 1) / elements_per_unit; }

  /// Packs `count` <= rows rows; keys of missing rows are undefined. `center` (dim floats, or null) is subtracted;
  /// float tiles only. `element` is the rows' type: any but bits for a float tile, u8 or s8 for a byte tile.
  void (*pack_rows)(const std::byte* const* rows, Element element, std::size_t count, std::size_t dim,
                    const float* center, void* panel) noexcept;
  /// Packs `count` <= queries queries: f32 for a float tile, u8 or s8 for a byte tile. `start` holds the initial value
  /// of each query's sums: float for a float tile, int32 for a byte tile. Null means zeros.
  void (*pack_queries)(const std::byte* const* queries, Element element, std::size_t count, std::size_t dim,
                       const float* center, const void* start, void* panel) noexcept;
  /// For each packed row: the sum of its elements and the sum of their squares.
  void (*row_sums)(const void* row_panel, std::size_t dim, float* sums, float* squares) noexcept;
  /// Writes keys[query * rows + row]. Sets bit `row` of masks[query] unless key > limits[query], so NaN keys are set.
  /// Returns a mask with bit `query` set where masks[query] is not empty.
  std::uint32_t (*multiply)(const void* row_panel, const void* query_panel, std::size_t dim, const float* bias,
                            const float* scale, const float* limits, float* keys, std::uint32_t* masks) noexcept;
};

/// Readable and writable values that insert_sorted needs before and behind its array.
inline constexpr std::size_t sorted_margin = 8;

struct KernelTable {
  const char* isa;
  // Float queries, rows of any number type.
  Kernels<float> squared_l2_f32, squared_l2_f16, squared_l2_f32_u8, squared_l2_f32_s8;
  Kernels<float> inner_product_f32, inner_product_f16, inner_product_f32_u8, inner_product_f32_s8;  // negated
  // Integer queries and rows: the sum is exact below 2^31 (dim <= 33025), then rounded once to float.
  Kernels<std::uint8_t> squared_l2_u8, inner_product_u8;
  Kernels<std::int8_t> squared_l2_s8, inner_product_s8;
  // Double precision: float queries with rows of any number type, and integer queries with integer rows.
  PreciseKernels<float> precise_f32, precise_f16, precise_f32_u8, precise_f32_s8;
  PreciseKernels<std::uint8_t> precise_u8;
  PreciseKernels<std::int8_t> precise_s8;
  PreciseKernel<Half> precise_product_halves;
  // Codes of 8, 4, 2 and 1 bits, queries in signed bytes.
  CodeKernel dot_u8, dot_u4, dot_u2, dot_u1;
  BlockKernel block_u8, block_u4, block_u2, block_u1;
  // Packed bits; dim counts bytes.
  Kernels<std::uint8_t> hamming;
  // Tiles of matrix products.
  TileKernel tile_f32, tile_bytes;
  /// out[i] = values[i], exactly.
  void (*widen)(const Half* values, std::size_t count, float* out) noexcept;
  /// out[i] = values[i] / step, rounded to the nearest integer, ties to even. Returns step = largest magnitude / 127.
  /// If all values are negligible, returns 0 and writes zeros.
  float (*round_to_bytes)(const float* values, std::size_t count, std::int8_t* out) noexcept;
  /// Writes every i with !(values[i] > limit) to `positions`, which has room for `count`. Returns their number.
  std::size_t (*find_not_above)(const float* values, std::size_t count, float limit, std::uint32_t* positions) noexcept;
  /// The number of i with !(values[i] > limit).
  std::size_t (*count_not_above)(const float* values, std::size_t count, float limit) noexcept;
  /// Inserts `value` into `count` ascending values and drops the largest. Returns the position of `value`, or `count`
  /// if `value` itself was dropped. values[-1] must be readable and not above any value, and `sorted_margin` values
  /// must exist on both sides of the array.
  std::size_t (*insert_sorted)(std::int64_t* values, std::size_t count, std::int64_t value) noexcept;
};

/// The table in use: the fastest this CPU supports, or the one that LOOKALIKE_ISA names.
const KernelTable& kernels() noexcept;

}  // namespace lookalike
