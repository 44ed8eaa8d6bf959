// A sample of the rows, from which a sketch learns its directions and its length.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/vectors_view.hpp"

namespace lookalike {

class RowBoundsSample {
 public:
  /// At most 4,096 rows, evenly spaced, scaled where `scales` are given, as floats affected their mean.
  RowBoundsSample(const VectorsView& rows, const float* scales);

  std::size_t count() const noexcept { return count_; }
  const std::vector<float>& center() const noexcept { return center_; }
  std::span<const float> centered() const noexcept { return centered_; }

  /// How many of the leading directions to keep so that a search of all rows costs least: what reading the codes costs
  /// against what measuring their survivors costs. 0 where neither beats measuring every row.
  std::size_t best_length(std::span<const float> directions, const VectorsView& rows, unsigned threads) const;

  /// The root mean square of the sample's coordinates along `directions`.
  double deviation(std::span<const float> directions, unsigned threads) const;

 private:
  std::size_t dim_;
  std::size_t count_;
  std::vector<float> center_;
  std::vector<float> centered_;
};

}  // namespace lookalike
