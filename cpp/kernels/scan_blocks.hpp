// Estimated distances from queries to blocks of codes, for every instruction set and code width.
// A register of `C` holds one unit of C::lanes rows; a register of `K` holds one float of each of these rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/code_block.hpp"

namespace lookalike {
namespace {

/// Scans one block for `count` queries and keeps the sums in registers. Prefetches 4 KiB ahead, up to `end`: the
/// hardware prefetcher stops at every page, and inverted lists are only a few pages long.
template <class Memory, class C, class K, int bits, std::size_t count>
void scan_block(const BlockQuery* queries, const std::byte* block, const std::byte* end, std::size_t units, float* out,
                std::size_t stride) noexcept {
  constexpr std::size_t registers = CodeBlock::rows / C::lanes, words = 8 / bits, ahead = 4096;
  static_assert(CodeBlock::rows * CodeBlock::unit_bytes == 128);
  typename C::Accumulator sums[count][registers];
#pragma GCC unroll 4
  for (std::size_t q = 0; q < count; ++q)
#pragma GCC unroll 32
    for (std::size_t r = 0; r < registers; ++r) sums[q][r] = C::zero();

  const std::byte* at = block;
  for (std::size_t u = 0; u < units; ++u, at += CodeBlock::rows * CodeBlock::unit_bytes) {
    if (at + ahead < end) {
      Memory::prefetch(at + ahead);
      Memory::prefetch(at + ahead + 64);
    }
    typename C::Register codes[registers];
#pragma GCC unroll 32
    for (std::size_t r = 0; r < registers; ++r) codes[r] = C::load(at + r * C::lanes * CodeBlock::unit_bytes);
#pragma GCC unroll 8
    for (std::size_t w = 0; w < words; ++w) {
      typename C::Query query[count];
#pragma GCC unroll 4
      for (std::size_t q = 0; q < count; ++q) query[q] = C::broadcast(queries[q].words + u * words + w);
#pragma GCC unroll 32
      for (std::size_t r = 0; r < registers; ++r) {
        const auto part = C::template lowest<bits>(codes[r]);
        codes[r] = C::template without_lowest<bits>(codes[r]);
#pragma GCC unroll 4
        for (std::size_t q = 0; q < count; ++q) sums[q][r] = C::template add_product<bits>(sums[q][r], part, query[q]);
      }
    }
  }

  const float* const bias = reinterpret_cast<const float*>(at);
  const float* const step = bias + CodeBlock::rows;
#pragma GCC unroll 4
  for (std::size_t q = 0; q < count; ++q) {
    const auto scale = K::broadcast(queries[q].scale), shift = K::broadcast(-queries[q].shift);
#pragma GCC unroll 32
    for (std::size_t r = 0; r < registers; ++r) {
      const auto negated = K::bias_minus_scaled(shift, scale, C::to_float(sums[q][r]));
      K::store(out + q * stride + r * K::lanes,
               K::bias_minus_scaled(K::load(bias + r * K::lanes), K::load(step + r * K::lanes), negated));
    }
  }
}

template <class Memory, class C, class K, int bits>
void scan_blocks(const BlockQuery* queries, std::size_t count, const std::byte* blocks, std::size_t units,
                 std::size_t block_count, float* out) noexcept {
  static_assert(C::lanes == K::lanes);
  const std::size_t stride = block_count * CodeBlock::rows, bytes = CodeBlock::bytes(units);
  const std::byte* const end = blocks + block_count * bytes;
  for (std::size_t b = 0; b < block_count; ++b, blocks += bytes, out += CodeBlock::rows) {
    std::size_t q = 0;
    for (; q + C::queries_per_pass <= count; q += C::queries_per_pass)
      scan_block<Memory, C, K, bits, C::queries_per_pass>(queries + q, blocks, end, units, out + q * stride, stride);
    for (; q < count; ++q) scan_block<Memory, C, K, bits, 1>(queries + q, blocks, end, units, out + q * stride, stride);
  }
}

}  // namespace
}  // namespace lookalike
