// Builds the KernelTable of one instruction set from its SIMD wrapper types. A new kernel is one more line here.
#pragma once

#include "kernels/arrays.hpp"
#include "kernels/distance.hpp"
#include "kernels/gather_codes.hpp"
#include "kernels/pack.hpp"
#include "kernels/precise_kernels.hpp"
#include "kernels/scan_blocks.hpp"
#include "kernels/table.hpp"
#include "kernels/tile.hpp"

namespace lookalike {
namespace {

template <class Memory, class V, class Step, class Q, class X>
constexpr Kernels<Q> scan_and_gather() {
  return {scan<V, Step, Q, X>, gather<Memory, V, Step, Q, X>};
}

template <class Memory, class V, class Q, class X>
constexpr PreciseKernels<Q> precise() {
  return {gather_precisely<Memory, V, OneSum<SquaredL2>, Q, X>, gather_precisely<Memory, V, OneSum<InnerProduct>, Q, X>,
          gather_precisely<Memory, V, ProductAndSquare, Q, X>};
}

/// `Simd` lists the wrapper types of one instruction set, and its tile size: row registers x queries.
template <class Simd>
constexpr KernelTable make_table(const char* isa) {
  using Memory = typename Simd::Memory;
  using F = typename Simd::Floats;
  using U = typename Simd::template Integers<std::uint8_t>;
  using S = typename Simd::template Integers<std::int8_t>;
  using FT = typename Simd::FloatTile;
  using BT = typename Simd::ByteTile;
  using D = typename Simd::Doubles;
  using K = typename Simd::Keys;
  constexpr std::size_t vectors = Simd::tile_vectors, queries = Simd::tile_queries;

  return {
      .isa = isa,
      .squared_l2_f32 = scan_and_gather<Memory, F, SquaredL2, float, float>(),
      .squared_l2_f16 = scan_and_gather<Memory, F, SquaredL2, float, Half>(),
      .squared_l2_f32_u8 = scan_and_gather<Memory, F, SquaredL2, float, std::uint8_t>(),
      .squared_l2_f32_s8 = scan_and_gather<Memory, F, SquaredL2, float, std::int8_t>(),
      .inner_product_f32 = scan_and_gather<Memory, F, InnerProduct, float, float>(),
      .inner_product_f16 = scan_and_gather<Memory, F, InnerProduct, float, Half>(),
      .inner_product_f32_u8 = scan_and_gather<Memory, F, InnerProduct, float, std::uint8_t>(),
      .inner_product_f32_s8 = scan_and_gather<Memory, F, InnerProduct, float, std::int8_t>(),
      .squared_l2_u8 = scan_and_gather<Memory, U, SquaredL2, std::uint8_t, std::uint8_t>(),
      .inner_product_u8 = scan_and_gather<Memory, U, InnerProduct, std::uint8_t, std::uint8_t>(),
      .squared_l2_s8 = scan_and_gather<Memory, S, SquaredL2, std::int8_t, std::int8_t>(),
      .inner_product_s8 = scan_and_gather<Memory, S, InnerProduct, std::int8_t, std::int8_t>(),
      .precise_f32 = precise<Memory, D, float, float>(),
      .precise_f16 = precise<Memory, D, float, Half>(),
      .precise_f32_u8 = precise<Memory, D, float, std::uint8_t>(),
      .precise_f32_s8 = precise<Memory, D, float, std::int8_t>(),
      .precise_u8 = precise<Memory, D, std::uint8_t, std::uint8_t>(),
      .precise_s8 = precise<Memory, D, std::int8_t, std::int8_t>(),
      .precise_product_halves = gather_precisely<Memory, D, OneSum<InnerProduct>, Half, Half>,
      .dot_u8 = gather_codes<Memory, typename Simd::DotU8>,
      .dot_u4 = gather_codes<Memory, typename Simd::DotU4>,
      .dot_u2 = gather_codes<Memory, typename Simd::DotU2>,
      .dot_u1 = gather_codes<Memory, typename Simd::DotU1>,
      .block_u8 = scan_blocks<Memory, typename Simd::Columns, K, 8>,
      .block_u4 = scan_blocks<Memory, typename Simd::Columns, K, 4>,
      .block_u2 = scan_blocks<Memory, typename Simd::Columns, K, 2>,
      .block_u1 = scan_blocks<Memory, typename Simd::Columns, K, 1>,
      .hamming = scan_and_gather<Memory, typename Simd::Bits, Hamming, std::uint8_t, std::uint8_t>(),
      .tile_f32 = {vectors * FT::lanes, queries, FT::elements_per_unit, TileUnits<FT>::header,
                   pack_float_rows<Simd, FT, vectors>, pack_float_queries<FT, queries>, row_sums<FT, K, vectors>,
                   multiply<FT, K, vectors, queries>},
      .tile_bytes = {vectors * BT::lanes, queries, BT::elements_per_unit, TileUnits<BT>::header,
                     pack_byte_rows<Simd, BT, vectors>, pack_byte_queries<BT, queries>, row_sums<BT, K, vectors>,
                     multiply<BT, K, vectors, queries>},
      .widen = widen<F>,
      .round_to_bytes = round_to_bytes<F>,
      .find_not_above = find_not_above<K>,
      .count_not_above = count_not_above<K>,
      .insert_sorted = insert_sorted<typename Simd::Int64s>,
  };
}

}  // namespace
}  // namespace lookalike
