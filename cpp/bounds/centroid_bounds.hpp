// Lower-bound codes for k-means and IVF assignment: they prune centroids that cannot be a point's nearest.
//
// A vector is projected onto the leading principal directions, rotated at random so that all coordinates have similar
// magnitudes. The norm of its residual, the component outside the projection, is one more coordinate, spread over four.
// All coordinates are clipped and rounded to signed bytes. Projecting, taking norms and clipping never increase the
// distance of two vectors, and the rounding error of each is known. So for codes z and rounding errors r,
//
//     |x - c| >= step * (|z_x - z_c| - r_x - r_c)
//
// for all vectors x and c. Residuals of points are long and residuals of centroids, which are means, are short; their
// norms prune half of the centroids that the projection alone does not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/panels.hpp"

namespace lookalike {

class CentroidBounds {
 public:
  /// Trains on a sample of `rows` (dense, `dim` floats each) for finding the nearest of `centroids` to every row,
  /// `rounds` times. Null if computing all distances costs less.
  static std::unique_ptr<const CentroidBounds> train(std::span<const float> rows, std::size_t dim,
                                                     std::span<const float> centroids, std::size_t rounds,
                                                     unsigned threads);

  /// Bytes of a code.
  std::size_t length() const noexcept { return projected_dim_ + residual_coordinates; }
  std::size_t vector_dim() const noexcept { return center_.size(); }

  /// Writes the codes of dense rows and upper bounds of their rounding errors, in steps.
  void encode(std::span<const float> rows, std::int8_t* codes, float* rounding_errors) const;

  /// An upper bound of |z_x - z_c|^2 if the squared distance is at most `square` and the two rounding errors sum to
  /// `rounding_errors` steps; never rounded down.
  float code_limit(double square, float rounding_errors) const;

 private:
  static constexpr std::size_t residual_coordinates = 4;

  CentroidBounds(std::vector<float> directions, std::vector<float> center);
  void encode_panel(std::span<const float> rows, std::int8_t* codes, float* rounding_errors) const;
  void choose_step(std::span<const float> centered, unsigned threads);

  std::size_t projected_dim_;
  std::vector<float> directions_;  // projected_dim_ rows of vector_dim()
  std::vector<float> center_;
  QueryPanels panels_;               // the directions, packed
  double orthonormality_error_ = 0;  // upper bound of the norm of W W' - I, W the directions
  float step_ = 1;                   // quantization step of the codes
  float mean_residual_norm_ = 0;     // of the sample
};

}  // namespace lookalike
