// Estimated distances from one query to selected rows of codes, for every instruction set and code width.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "kernels/code_row.hpp"
#include "kernels/distance.hpp"

namespace lookalike {
namespace {

/// The last group of four repeats its last row to fill up.
template <class Memory, class V>
void gather_codes(const CodeQuery& query, const std::byte* rows, std::size_t stride, const Row* picks,
                  std::size_t count, float* out) noexcept {
  constexpr std::size_t ahead = 8;
  const auto prefetch_pick = [&](std::size_t i) {
    if (i < count) prefetch_row<Memory>(rows + picks[i] * stride, stride);
  };
  for (std::size_t i = 0; i < ahead; ++i) prefetch_pick(i);
  const std::size_t tail_offset = stride - sizeof(CodeTail);
  for (std::size_t i = 0; i < count; i += 4) {
    for (std::size_t a = 0; a < 4; ++a) prefetch_pick(i + ahead + a);
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
      CodeTail row_tail;
      __builtin_memcpy(&row_tail, four[r] + tail_offset, sizeof row_tail);
      out[i + r] = row_tail.bias + row_tail.step * (query.scale * products[r] + query.shift);
    }
  }
}

}  // namespace
}  // namespace lookalike
