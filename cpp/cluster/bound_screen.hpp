// Assigns points to their nearest centroids; lower-bound codes prune most of the exact distances.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bounds/centroid_bounds.hpp"

namespace lookalike {

/// The lower-bound codes of points, packed once for any number of assignments.
class EncodedPoints {
 public:
  /// Encodes dense rows.
  EncodedPoints(const CentroidBounds& bounds, std::span<const float> rows, unsigned threads);

  const QueryPanels& panels() const noexcept { return panels_; }
  float rounding_error(std::size_t point) const noexcept { return rounding_errors_[point]; }
  /// The squared norm of the point's code.
  float square(std::size_t point) const noexcept { return squares_[point]; }

 private:
  QueryPanels panels_;
  std::vector<float> rounding_errors_, squares_;
};

class BoundScreen {
 public:
  /// Borrows the bounds and the centroids.
  BoundScreen(const CentroidBounds& bounds, std::span<const float> centroids, unsigned threads);

  /// Whether `labels` already holds likely nearest centroids, such as those of the previous iteration. This saves a
  /// pass.
  enum class Guess : std::uint8_t { none, labels };
  /// Writes the nearest centroid of every point and, unless `squares` is empty, its squared distance. `points` are the
  /// codes of `rows`.
  void assign(const EncodedPoints& points, std::span<const float> rows, Guess guess, unsigned threads,
              std::span<std::uint32_t> labels, std::span<float> squares) const;

 private:
  struct Scratch;
  /// Labels each point of a panel with the centroid whose code is nearest.
  void guess_labels(const EncodedPoints& points, std::size_t panel, std::uint32_t* labels, Scratch& scratch) const;
  /// Collects the centroids that the limits do not prune.
  void screen(const EncodedPoints& points, std::size_t panel, Scratch& scratch) const;

  const CentroidBounds& bounds_;
  std::span<const float> centroids_;
  RowPanels panels_;
  std::vector<float> bias_, scale_;
  float max_rounding_error_ = 0;  // of the centroids that are not outliers
  std::vector<Row> outliers_;     // centroids with large rounding errors; they are never pruned
};

}  // namespace lookalike
