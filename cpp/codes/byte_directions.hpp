// Directions as blocks of signed bytes, onto which queries are projected.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "codes/signed_bytes.hpp"
#include "kernels/code_block.hpp"

namespace lookalike {

class ByteDirections {
 public:
  ByteDirections() = default;
  /// Rows of `dim` floats.
  ByteDirections(std::span<const float> rows, std::size_t dim);

  std::size_t bytes() const noexcept { return blocks_.size(); }
  /// Floats of a projection: one a direction, and zeros that fill the last block.
  std::size_t room() const noexcept { return block_count_ * CodeBlock::rows; }
  /// The products of each vector, `dim` values and zeros behind them, with all directions: `room()` floats a vector. A
  /// vector's products are the same whatever vectors come with it; several together take less time than one by one.
  void project(std::span<const SignedBytes* const> vectors, float* out) const;

 private:
  std::size_t units_ = 0, block_count_ = 0;
  std::vector<std::byte> blocks_;
};

}  // namespace lookalike
