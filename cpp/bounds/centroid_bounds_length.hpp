// How long an outline is best, from a sample.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lookalike {

inline constexpr std::size_t longest_projection = 124;

inline constexpr std::size_t most_learned = 4096;  // rows

/// The squared length of each of dense rows.
std::vector<double> squares_of(std::span<const float> rows, std::size_t dim);

/// Whether bounds could be worth learning, for so many searches for the nearest of so many.
bool may_pay(std::size_t dim, std::size_t clusters, std::size_t searches);

class BoundsSample {
 public:
  /// At most `most_learned` of dense rows, fewer of very long ones of `dim` floats, evenly spaced, affected their mean.
  BoundsSample(std::span<const float> rows, std::size_t dim);

  std::size_t count() const noexcept { return centered_.size() / center_.size(); }
  const std::vector<float>& center() const noexcept { return center_; }
  std::span<const float> centered() const noexcept { return centered_; }
  double mean_square() const noexcept { return mean_square_; }

  /// How many of the leading directions to keep so that it costs least to outline a row, multiply bounds `rounds`
  /// times and measure what they do not rule out. 0 where measuring everything costs less.
  std::size_t best_length(std::span<const float> directions, std::span<const float> centroids, std::size_t rounds,
                          unsigned threads) const;

 private:
  std::vector<float> center_, centered_;
  double mean_square_ = 0;
};

}  // namespace lookalike
