// The block layout in which inverted lists store codes, so that one kernel call scans several rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/code_block.hpp"
#include "kernels/table.hpp"
#include "quant/encoder.hpp"

namespace lookalike {

/// Packs and scans an encoder's codes in blocks of CodeBlock::rows rows.
class BlockLayout {
 public:
  explicit BlockLayout(const Encoder& encoder);

  std::size_t units() const noexcept { return units_; }
  /// Size in bytes of the blocks that hold `rows` rows.
  std::size_t bytes(std::size_t rows) const noexcept { return CodeBlock::needed(rows) * CodeBlock::bytes(units_); }

  /// Writes a code in the encoder's format into row `row` of `blocks`.
  void pack(std::byte* blocks, std::size_t row, const std::byte* code) const;
  /// Reads row `row` of `blocks` back into the encoder's format.
  void unpack(const std::byte* blocks, std::size_t row, std::byte* code) const;
  /// Copies row `source_row` of `source_blocks` into row `row` of `blocks`.
  void copy(std::byte* blocks, std::size_t row, const std::byte* source_blocks, std::size_t source_row) const;

  /// Estimates the distance from each query to every row of `count` consecutive blocks; see BlockKernel.
  void scan(std::span<const BlockQuery> queries, const std::byte* blocks, std::size_t count, float* out) const {
    kernel_(queries.data(), queries.size(), blocks, units_, count, out);
  }
  /// Reorders a query's values to match the blocks. The result points into `words`.
  BlockQuery query(const CodeQuery& query, std::vector<std::int32_t>& words) const;

 private:
  std::size_t units_, code_stride_, codes_per_byte_;
  BlockKernel kernel_;
};

}  // namespace lookalike
