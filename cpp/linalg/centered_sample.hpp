// A training sample: centred, without outliers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lookalike {

/// Rows minus their mean. Far outliers are removed first, because they would dominate the principal directions.
struct CenteredSample {
  /// Takes dense rows of `dim` floats.
  CenteredSample(std::vector<float> sample, std::size_t dim, unsigned threads);

  std::vector<float> mean, rows;
};

/// Subtracts `center` from each of the dense rows, which have its dimension.
void subtract_from_rows(std::span<float> rows, std::span<const float> center);

}  // namespace lookalike
