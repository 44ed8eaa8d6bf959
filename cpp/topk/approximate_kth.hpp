// The approximate k-th smallest value, found by bisection: each step counts, with SIMD, the values up to a limit.
#pragma once

#include <cstddef>
#include <span>

namespace lookalike {

/// A limit such that at least `k` values are less than or equal to it; at most k * 9 / 8 are, unless many values are
/// equal. There are at least `k` values and none is NaN.
float approximate_kth(std::span<const float> values, std::size_t k);

}  // namespace lookalike
