// Rows of codes in blocks, as they are scanned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/code_block.hpp"
#include "kernels/table.hpp"
#include "quant/encoder.hpp"

namespace lookalike {

/// How rows of an encoder's codes stand in blocks.
class BlockForm {
 public:
  explicit BlockForm(const Encoder& encoder);

  std::size_t units() const noexcept { return units_; }
  /// Bytes of blocks that hold `rows` rows.
  std::size_t bytes(std::size_t rows) const noexcept { return CodeBlock::needed(rows) * CodeBlock::bytes(units_); }

  /// Puts the code of one row, as the encoder wrote it, where row `i` stands.
  void put(std::byte* blocks, std::size_t i, const std::byte* code) const;
  /// Writes the code of row `i` as the encoder wrote it.
  void get(const std::byte* blocks, std::size_t i, std::byte* code) const;
  /// Copies row `from` of other blocks to where row `i` stands.
  void copy(std::byte* blocks, std::size_t i, const std::byte* others, std::size_t from) const;

  /// Distances of the rows of `count` consecutive blocks from each query, see BlockKernel.
  void measure(std::span<const BlockQuery> queries, const std::byte* blocks, std::size_t count, float* out) const {
    kernel_(queries.data(), queries.size(), blocks, units_, count, out);
  }
  /// A query's values in the order of blocks; `words` is room for them.
  BlockQuery query(const CodeQuery& query, std::vector<std::int32_t>& words) const;

 private:
  std::size_t units_, code_stride_, codes_per_byte_;
  BlockKernel kernel_;
};

}  // namespace lookalike
