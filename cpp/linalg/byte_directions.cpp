#include "linalg/byte_directions.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr int code_of_zero = 128;

}  // namespace

ByteDirections::ByteDirections(std::span<const float> directions, std::size_t dim)
    : units_(CodeBlock::units(dim)), block_count_(CodeBlock::needed(directions.size() / dim)) {
  constexpr std::size_t rows = CodeBlock::rows, unit_bytes = CodeBlock::unit_bytes;
  blocks_.resize(block_count_ * CodeBlock::bytes(units_));
  SignedBytes quantized;
  for (std::size_t i = 0; i < directions.size() / dim; ++i) {
    quantized.assign(directions.subspan(i * dim, dim), padded_dim());
    std::byte* const block = blocks_.mutable_data() + i / rows * CodeBlock::bytes(units_);
    for (std::size_t d = 0; d < quantized.bytes.size(); ++d)
      block[(d / unit_bytes * rows + i % rows) * unit_bytes + d % unit_bytes] =
          static_cast<std::byte>(quantized.bytes[d] + code_of_zero);
    float* const steps = reinterpret_cast<float*>(block + units_ * rows * unit_bytes) + rows;
    std::memcpy(steps + i % rows, &quantized.step, sizeof quantized.step);
  }
}

void ByteDirections::project(std::span<const SignedBytes* const> vectors, ProjectionScratch& scratch,
                             float* out) const {
  scratch.words.resize(vectors.size() * units_);
  scratch.queries.clear();
  for (const SignedBytes* vector : vectors) {
    std::int32_t* const words = scratch.words.data() + scratch.queries.size() * units_;
    std::memcpy(words, vector->bytes.data(), padded_dim());
    const float shift = -vector->step * code_of_zero * static_cast<float>(vector->sum());
    scratch.queries.push_back({words, vector->step, shift});
  }
  kernels().block_u8(scratch.queries.data(), scratch.queries.size(), blocks_.data(), units_, block_count_, out);
}

}  // namespace lookalike
