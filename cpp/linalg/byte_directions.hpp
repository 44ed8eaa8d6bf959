// Directions as blocks of bytes, onto which queries are projected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "kernels/code_block.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// What projecting needs, used again and again.
struct ProjectionScratch {
  std::vector<std::int32_t> words;
  std::vector<BlockQuery> queries;
};

class ByteDirections {
 public:
  ByteDirections() = default;
  /// Rows of `dim` floats.
  ByteDirections(std::span<const float> directions, std::size_t dim);

  std::size_t bytes() const noexcept { return blocks_.bytes_owned(); }
  /// Bytes of a vector that is projected: `dim` values, and zeros that fill the last unit.
  std::size_t vector_room() const noexcept { return units_ * CodeBlock::unit_bytes; }
  /// Floats of a projection: one a direction, and zeros that fill the last block.
  std::size_t room() const noexcept { return block_count_ * CodeBlock::rows; }
  /// The products of each vector, `vector_room()` bytes at least, with all directions: `room()` floats a vector. They
  /// are the same whatever vectors come with it; several together take less time than one by one.
  void project(std::span<const SignedBytes* const> vectors, ProjectionScratch& scratch, float* out) const;

 private:
  std::size_t units_ = 0, block_count_ = 0;
  Array<std::byte> blocks_;
};

}  // namespace lookalike
