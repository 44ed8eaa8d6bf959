// How low a limit may be that still admits so many values: found by counting alone, which registers do many at a time.
#pragma once

#include <cstddef>
#include <span>

namespace lookalike {

/// A limit that at least `least` of the values, of which there are so many, are not above; an eighth more at most,
/// where few of them are equal. No NaN.
float approximate_kth(std::span<const float> values, std::size_t least);

}  // namespace lookalike
