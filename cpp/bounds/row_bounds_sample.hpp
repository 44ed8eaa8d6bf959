// The training sample of RowBounds, and the choice of the code length.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/vectors_view.hpp"

namespace lookalike {

class RowBoundsSample {
 public:
  /// Takes at most 4,096 evenly spaced rows as floats, scaled if `scales` is given, minus their mean.
  RowBoundsSample(const VectorsView& rows, const float* scales);

  std::size_t count() const noexcept { return count_; }
  const std::vector<float>& center() const noexcept { return center_; }
  std::span<const float> centered() const noexcept { return centered_; }

  /// The number of leading directions that minimises the estimated cost of an exact search: scanning the codes, plus
  /// computing the distances of the rows that are not pruned. 0 if computing all distances costs less.
  std::size_t best_length(std::span<const float> directions, const VectorsView& rows, unsigned threads) const;

  /// The root mean square of the projections of the sample onto `directions`.
  double deviation(std::span<const float> directions, unsigned threads) const;

 private:
  std::size_t dim_;
  std::size_t count_;
  std::vector<float> center_;
  std::vector<float> centered_;
};

}  // namespace lookalike
