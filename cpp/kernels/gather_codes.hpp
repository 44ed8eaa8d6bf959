// One query against picked rows of codes, written once for every instruction set and width of code.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "kernels/code_row.hpp"
#include "kernels/distance.hpp"

namespace lookalike {
namespace {

/// The last group is filled up with its last row, as in distance.hpp.
template <class Memory, class V>
void gather_codes(const CodeQuery& query, const std::byte* rows, std::size_t stride, const Row* picks,
                  std::size_t count, float* out) noexcept {
  constexpr std::size_t ahead = 8;
  const auto want = [&](std::size_t i) {
    if (i < count) prefetch_row<Memory>(rows + picks[i] * stride, stride);
  };
  for (std::size_t i = 0; i < ahead; ++i) want(i);
  const std::size_t tail = stride - sizeof(CodeTail);
  for (std::size_t i = 0; i < count; i += 4) {
    for (std::size_t a = 0; a < 4; ++a) want(i + ahead + a);
    const auto at = [&](std::size_t r) { return rows + picks[i + r < count ? i + r : count - 1] * stride; };
    const std::byte* const four[4] = {at(0), at(1), at(2), at(3)};
    typename V::Accumulator sums[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
    for (std::size_t b = 0; b < stride; b += V::bytes) {
      const auto part = V::load_query(query.values + b * V::codes_per_byte);
      for (std::size_t r = 0; r < 4; ++r) sums[r] = V::add_product(sums[r], part, V::load_codes(four[r] + b));
    }
    float products[4];
    V::totals(sums, products);
    for (std::size_t r = 0; r < 4 && i + r < count; ++r) {
      CodeTail of_row;
      __builtin_memcpy(&of_row, four[r] + tail, sizeof of_row);
      out[i + r] = of_row.bias + of_row.step * (query.scale * products[r] + query.shift);
    }
  }
}

}  // namespace
}  // namespace lookalike
