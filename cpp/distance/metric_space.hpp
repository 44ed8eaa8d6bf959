// The stored vectors under a metric: exact scorers, and the vectors as points of a Euclidean space.
//
// Under cosine, points are unit vectors: their squared L2 distances rank neighbours as cosine does. Under inner
// product, IVF uses the MIPS-to-L2 augmentation [Bachrach et al. 2014, section 3]: every vector gets one more
// coordinate that brings its norm to the largest norm. The extra coordinate of a query is 0, so L2 ranks rows as inner
// products do. Extra coordinates are stored minus the largest norm, so that long vectors cost short ones no precision.
//
// HNSW uses plain inner products [Morozov and Babenko 2018]. Augmented rows are near each other if their norms are
// similar, but the best rows for a query are the longest in its direction, and these are far apart after augmentation.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "distance/scorer.hpp"
#include "storage/scratch_file.hpp"

namespace lookalike {

/// Supplies points of rows whose vectors are not in MetricSpace::rows, for example because only their codes are kept.
struct PointOverrides {
  /// Writes the point of a row.
  std::function<void(std::size_t row, float* out)> write;
  /// MetricSpace::distance_offset of the row, if it is known.
  std::function<std::optional<float>(std::size_t row)> distance_offset;
};

/// Float products of vectors with smaller norms may underflow.
inline constexpr float min_measurable_norm = 1e-15f;

struct MetricSpace {
  VectorsView rows;
  Metric metric = Metric::l2;
  const float* inverse_norms = nullptr;       // one per row, for Metric::cosine
  float augmented_norm = 0;                   // of queries and augmented rows, for Metric::ip
  bool is_augmented = false;                  // whether points have the extra MIPS coordinate
  const float* augmentations = nullptr;       // that coordinate, one per row; null: computed on use
  const ScratchMaps* scratch = nullptr;       // the files that hold `rows` if memory does not
  const PointOverrides* overrides = nullptr;  // supplies all points if set

  /// Coordinates of a point. For bits: one per bit.
  std::size_t point_dim() const noexcept {
    return metric == Metric::hamming ? rows.dim * 8 : rows.dim + has_augmentations();
  }
  bool has_augmentations() const noexcept { return metric == Metric::ip && is_augmented; }
  /// Counts these rows as read, so that their pages can be released from memory.
  void count_read(std::span<const Row> read) const;
  /// Writes the point of a row.
  void write_point(std::size_t row, float* out) const;
  /// The amount to add to the squared L2 distance between a row's point and any query's point. Not 0 if the point does
  /// not have the common norm, or if `overrides` supplies an offset.
  float distance_offset(std::size_t row, std::span<const float> point) const;

  /// The query's squared norm if the metric needs it, else 0. A query is f32, or of the rows' element if that is an
  /// integer type or bits.
  double query_squared_norm(const std::byte* query, Element element) const;
  /// Whether float arithmetic can compare the query with rows, given its query_squared_norm: false if the query is so
  /// short that products underflow.
  bool can_measure_query(double square) const noexcept {
    return square == 0 || square >= double{min_measurable_norm} * min_measurable_norm;
  }
  /// Writes the point of a query of `dim` floats, scaled to the rows' norm unless the metric is L2.
  void write_query_point(const float* query, double square, float* out) const;
  /// Computes the metric's distances from a query.
  Scorer query_scorer(const std::byte* query, Element element, double square) const;
  Scorer query_scorer(const std::byte* query, Element element) const {
    return query_scorer(query, element, query_squared_norm(query, element));
  }
  /// Computes distances from a row: squared L2 between points, negated inner products for Metric::ip, or Hamming.
  Scorer row_scorer(Row row, ScorerScratch& scorer_scratch) const;
};

/// Writes every bit of `count` bytes as 0 or 1.
void write_bits(const std::byte* bytes, std::size_t count, float* out);

/// Whether float arithmetic can compute distances between all vectors: no squared norm overflows and, under
/// Metric::cosine, no nonzero norm is so small that products underflow.
bool is_measurable(const VectorsView& rows, Metric metric, unsigned threads);

/// The largest norm of a set of vectors: zero, so small that squared distances underflow, or larger.
enum class NormRange { zero, underflowing, measurable };
/// For float vectors under l2 and ip; else `measurable`. If all norms underflow, float distances are meaningless.
NormRange norm_range_of(const VectorsView& rows, Metric metric);

/// The extra coordinate, minus `norm`, that brings a vector with squared norm `square` to `norm`.
float augmentation_of(double square, float norm);

}  // namespace lookalike
