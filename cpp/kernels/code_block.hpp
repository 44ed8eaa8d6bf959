// Interleaved blocks of codes: one register loads the same code positions of many rows.
//
// A block holds `rows` rows. The codes are split into units of 4 bytes. A block stores unit 0 of every row, then unit 1
// of every row, and so on, followed by every row's bias and every row's step. Missing rows are zeros.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

struct CodeBlock {
  static constexpr std::size_t rows = 32, unit_bytes = 4;
  static constexpr std::size_t tail_bytes = 2 * rows * sizeof(float);

  /// Units per row of `bytes` bytes of codes.
  static constexpr std::size_t units(std::size_t bytes) { return (bytes + unit_bytes - 1) / unit_bytes; }
  /// Bytes per block.
  static constexpr std::size_t bytes(std::size_t units) { return units * rows * unit_bytes + tail_bytes; }
  /// Blocks needed for `count` rows.
  static constexpr std::size_t needed(std::size_t count) { return (count + rows - 1) / rows; }
};

/// A query prepared for blocks. Each word packs four signed query values, one per byte of a unit. A unit has 8 / bits
/// words: word w holds the values for the w-th code of each byte, counted from the lowest bits.
struct BlockQuery {
  const std::int32_t* words;
  float scale, shift;
};

}  // namespace lookalike
