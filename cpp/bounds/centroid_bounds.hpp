// A few bytes of a vector that can prove, but never disprove, that another one is far.
//
// A vector is projected onto the leading principal directions of many, rotated at random so that every coordinate is as
// large as any other; how long the rest of it is makes one more coordinate, spread over four. All are clipped and
// rounded to signed bytes. Projecting, taking lengths and clipping bring two vectors closer, never further apart, and
// rounding moves each by a known amount, so with z the codes and r the roundings
//
//     |x - c| >= step * (|z_x - z_c| - r_x - r_c),
//
// whatever the data. What a projection leaves out is long in points and short in means of many, so the lengths prove
// half of those far that the projection alone does not.
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
  /// Learns from some of `rows` (dense, of `dim` floats) how long bounds are best for finding the nearest of
  /// `centroids`, as many, for every row `rounds` times; null where it costs least without.
  static std::unique_ptr<const CentroidBounds> learn(std::span<const float> rows, std::size_t dim,
                                                     std::span<const float> centroids, std::size_t rounds,
                                                     unsigned threads);

  /// Bytes of an outline.
  std::size_t length() const noexcept { return projected_ + lengths; }
  std::size_t vector_dim() const noexcept { return center_.size(); }

  /// Writes the bounds of dense rows, and by how many steps rounding moved each at most.
  void encode(std::span<const float> rows, std::int8_t* codes, float* roundings) const;

  /// What |z_x - z_c|^2 is at most if the squared distance is at most `square`, and roundings moved the two by so many
  /// steps together; never rounded down.
  float code_limit(double square, float roundings) const;

 private:
  static constexpr std::size_t lengths = 4;

  CentroidBounds(std::vector<float> directions, std::vector<float> center);
  void encode_panel(std::span<const float> rows, std::int8_t* codes, float* roundings) const;
  void choose_step(std::span<const float> centered, unsigned threads);

  std::size_t projected_;
  std::vector<float> directions_;  // projected_ rows of the vectors' dim
  std::vector<float> center_;
  QueryPanels panels_;  // the directions
  double skew_ = 0;     // how far the directions are from orthonormal
  float step_ = 1;      // one unit of a code
  float middle_ = 0;    // of the lengths of what the projection leaves out
};

}  // namespace lookalike
