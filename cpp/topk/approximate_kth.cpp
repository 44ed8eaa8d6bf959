#include "topk/approximate_kth.hpp"

#include <cstdint>
#include <limits>
#include <numeric>

#include "kernels/dispatch.hpp"
#include "topk/ordered_bits.hpp"

namespace lookalike {

float approximate_kth(std::span<const float> values, std::size_t k) {
  const std::size_t max_admitted = k + k / 8;
  std::int32_t low = ordered_bits(-std::numeric_limits<float>::infinity());
  std::int32_t high = ordered_bits(std::numeric_limits<float>::infinity());
  while (low < high) {
    const std::int32_t mid = std::midpoint(low, high);  // rounded towards low
    const float limit = from_ordered_bits(mid);
    const std::size_t admitted = kernels().count_not_above(values.data(), values.size(), limit);
    if (admitted < k) {
      low = mid + 1;
    } else if (admitted > max_admitted) {
      high = mid;
    } else {
      return limit;
    }
  }
  return from_ordered_bits(high);
}

}  // namespace lookalike
