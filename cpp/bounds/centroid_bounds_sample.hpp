// The training sample of CentroidBounds, and the choice of the code length.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lookalike {

inline constexpr std::size_t max_projected_dim = 124;

/// The squared norm of each of the dense rows.
std::vector<double> squared_norms(std::span<const float> rows, std::size_t dim);

/// Whether training bounds may cost less than it saves, for `searches` searches for the nearest of `clusters`
/// centroids.
bool may_pay_off(std::size_t dim, std::size_t clusters, std::size_t searches);

class CentroidBoundsSample {
 public:
  static constexpr std::size_t max_rows = 4096;

  /// Takes at most `max_rows` evenly spaced rows, fewer if `dim` is very large, minus their mean.
  CentroidBoundsSample(std::span<const float> rows, std::size_t dim);

  std::size_t count() const noexcept { return centered_.size() / center_.size(); }
  const std::vector<float>& center() const noexcept { return center_; }
  std::span<const float> centered() const noexcept { return centered_; }
  double mean_square() const noexcept { return mean_square_; }

  /// The number of leading directions that minimises the estimated cost of finding a row's nearest centroid `rounds`
  /// times: encoding the row, comparing codes, and computing the distances of the centroids that are not pruned. 0 if
  /// computing all distances costs less.
  std::size_t best_length(std::span<const float> directions, std::span<const float> centroids, std::size_t rounds,
                          unsigned threads) const;

 private:
  std::vector<float> center_, centered_;
  double mean_square_ = 0;
};

}  // namespace lookalike
