// Which centroids may be a point's nearest, by products of bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bounds/centroid_bounds.hpp"

namespace lookalike {

/// The bounds of many points, packed once for any number of searches.
class BoundedPoints {
 public:
  /// Of dense rows.
  BoundedPoints(const CentroidBounds& bounds, std::span<const float> rows, unsigned threads);

  const QueryPanels& panels() const noexcept { return panels_; }
  float rounding(std::size_t point) const noexcept { return roundings_[point]; }
  /// |z_x|^2
  float square(std::size_t point) const noexcept { return squares_[point]; }

 private:
  QueryPanels panels_;
  std::vector<float> roundings_, squares_;
};

class BoundScreen {
 public:
  /// Borrows the bounds and the centroids.
  BoundScreen(const CentroidBounds& bounds, std::span<const float> centroids, unsigned threads);

  /// Whether the labels there are tell centroids that may be nearest, which saves a search for such.
  enum class Guess : std::uint8_t { none, labels };
  /// Writes the nearest centroid of every one of `points`, which are bounds of `rows`, and, unless `squares` is
  /// empty, the squared distance.
  void assign(const BoundedPoints& points, std::span<const float> rows, Guess guess, unsigned threads,
              std::span<std::uint32_t> labels, std::span<float> squares) const;

 private:
  struct Work;
  void guess(const BoundedPoints& points, std::size_t panel, std::uint32_t* labels, Work& work) const;
  void screen(const BoundedPoints& points, std::size_t panel, Work& work) const;

  const CentroidBounds& bounds_;
  std::span<const float> centroids_;
  RowPanels panels_;
  std::vector<float> bias_, scale_;
  float rounding_ = 0;      // the largest, but for
  std::vector<Row> loose_;  // those whose codes tell little, which are always measured: far outliers
};

}  // namespace lookalike
