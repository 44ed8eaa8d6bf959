// Projects queries onto directions that are quantized to bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "kernels/code_block.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// Buffers of a projection, reused from call to call.
struct ProjectionScratch {
  std::vector<std::int32_t> words;
  std::vector<BlockQuery> queries;
};

class ByteDirections {
 public:
  ByteDirections() = default;
  /// Quantizes dense rows of `dim` floats, one per direction.
  ByteDirections(std::span<const float> directions, std::size_t dim);

  std::size_t bytes() const noexcept { return blocks_.bytes_owned(); }
  /// Bytes of a vector to project: `dim` values and zeros up to a multiple of the unit.
  std::size_t padded_dim() const noexcept { return units_ * CodeBlock::unit_bytes; }
  /// Floats of a projection: one per direction and zeros up to a multiple of the block.
  std::size_t padded_count() const noexcept { return block_count_ * CodeBlock::rows; }
  /// Writes the inner products of each vector with all directions: padded_count() floats per vector. Vectors have at
  /// least padded_dim() bytes. Batching saves time and does not change the results.
  void project(std::span<const SignedBytes* const> vectors, ProjectionScratch& scratch, float* out) const;

 private:
  std::size_t units_ = 0, block_count_ = 0;
  Array<std::byte> blocks_;
};

}  // namespace lookalike
