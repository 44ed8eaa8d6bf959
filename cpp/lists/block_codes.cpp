#include "lists/block_codes.hpp"

#include <cstring>

#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

BlockKernel block_kernel(CodeWidth width) {
  switch (width) {
    case CodeWidth::eight: return kernels().block_u8;
    case CodeWidth::four: return kernels().block_u4;
    case CodeWidth::two: return kernels().block_u2;
    case CodeWidth::one: return kernels().block_u1;
  }
  return nullptr;
}

}  // namespace

BlockLayout::BlockLayout(const Encoder& encoder)
    : units_(CodeBlock::units(encoder.code_bytes())),
      code_stride_(encoder.stride()),
      codes_per_byte_(8 / static_cast<std::size_t>(encoder.width())),
      kernel_(block_kernel(encoder.width())) {}

void BlockLayout::pack(std::byte* blocks, std::size_t row, const std::byte* code) const {
  constexpr std::size_t rows = CodeBlock::rows, unit = CodeBlock::unit_bytes;
  std::byte* const block = blocks + row / rows * CodeBlock::bytes(units_);
  for (std::size_t u = 0; u < units_; ++u) std::memcpy(block + (u * rows + row % rows) * unit, code + u * unit, unit);
  CodeTail tail;
  std::memcpy(&tail, code + code_stride_ - sizeof tail, sizeof tail);
  std::byte* const tails = block + units_ * rows * unit + row % rows * sizeof(float);
  std::memcpy(tails, &tail.bias, sizeof tail.bias);
  std::memcpy(tails + rows * sizeof(float), &tail.step, sizeof tail.step);
}

void BlockLayout::unpack(const std::byte* blocks, std::size_t row, std::byte* code) const {
  constexpr std::size_t rows = CodeBlock::rows, unit = CodeBlock::unit_bytes;
  const std::byte* const block = blocks + row / rows * CodeBlock::bytes(units_);
  for (std::size_t u = 0; u < units_; ++u) std::memcpy(code + u * unit, block + (u * rows + row % rows) * unit, unit);
  CodeTail tail;
  const std::byte* const tails = block + units_ * rows * unit + row % rows * sizeof(float);
  std::memcpy(&tail.bias, tails, sizeof tail.bias);
  std::memcpy(&tail.step, tails + rows * sizeof(float), sizeof tail.step);
  std::memcpy(code + code_stride_ - sizeof tail, &tail, sizeof tail);
}

void BlockLayout::copy(std::byte* blocks, std::size_t row, const std::byte* source_blocks,
                       std::size_t source_row) const {
  constexpr std::size_t rows = CodeBlock::rows, unit = CodeBlock::unit_bytes;
  std::byte* target = blocks + row / rows * CodeBlock::bytes(units_) + row % rows * unit;
  const std::byte* source = source_blocks + source_row / rows * CodeBlock::bytes(units_) + source_row % rows * unit;
  // Bias and step follow the units at the same spacing, so one loop copies all of them.
  static_assert(sizeof(float) == unit);
  for (std::size_t u = 0; u < units_ + 2; ++u, target += rows * unit, source += rows * unit)
    std::memcpy(target, source, unit);
}

BlockQuery BlockLayout::query(const CodeQuery& query, std::vector<std::int32_t>& words) const {
  words.resize(units_ * codes_per_byte_);
  auto* const out = reinterpret_cast<std::int8_t*>(words.data());
  for (std::size_t u = 0; u < units_; ++u)
    for (std::size_t w = 0; w < codes_per_byte_; ++w)
      for (std::size_t j = 0; j < CodeBlock::unit_bytes; ++j)
        out[(u * codes_per_byte_ + w) * 4 + j] = query.values[(u * 4 + j) * codes_per_byte_ + w];
  return {words.data(), query.scale, query.shift};
}

}  // namespace lookalike
