// A sample as learning wants it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lookalike {

/// Rows about their mean; without the few so far from nearly all that there would be nothing to learn beside them.
struct CenteredSample {
  /// Of dense rows of `dim` floats.
  CenteredSample(std::vector<float> sample, std::size_t dim, unsigned threads);

  std::vector<float> mean, rows;
};

/// Subtracts `center` from each of dense rows as long.
void subtract_from_rows(std::span<float> rows, std::span<const float> center);

}  // namespace lookalike
