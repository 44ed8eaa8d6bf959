// Rows of codes stood side by side in blocks, so that one register holds the same few codes of many rows.
//
// A block has `rows` rows. Its codes are cut into units of 4 bytes: the first unit of every row, then the second of
// every row, and so on; behind them every row's bias, then every row's step. Rows that are not there are zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

struct CodeBlock {
  static constexpr std::size_t rows = 32, unit_bytes = 4;
  static constexpr std::size_t tail_bytes = 2 * rows * sizeof(float);

  /// Units of a row of `bytes` bytes of codes.
  static constexpr std::size_t units(std::size_t bytes) { return (bytes + unit_bytes - 1) / unit_bytes; }
  /// Bytes of a block.
  static constexpr std::size_t bytes(std::size_t units) { return units * rows * unit_bytes + tail_bytes; }
  /// Blocks that hold `count` rows.
  static constexpr std::size_t needed(std::size_t count) { return (count + rows - 1) / rows; }
};

/// A query against blocks. Each word is four signed bytes, the query's values that one unit of a row meets at once: for
/// every unit there are as many words as a byte has codes, the first for the lowest codes of the unit's bytes.
struct BlockQuery {
  const std::int32_t* words;
  float scale, shift;
};

}  // namespace lookalike
