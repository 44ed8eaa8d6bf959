// Vectors as they are kept, measured under a metric; and as points of a space where nearer is always shorter.
//
// Points of cosine are unit vectors, whose squared Euclidean distances order neighbours as cosine does. For inner
// products lists need points that are lifted: every vector gets one more coordinate, which brings it to the length of
// the longest [Bachrach et al. 2014, section 3]; a query, whose extra coordinate is 0, then finds the same neighbours.
// All extra coordinates are told from that length down, so long vectors cost short ones no precision. Graphs measure
// inner products as they are [Morozov and Babenko 2018]: lifted rows lie near one another when they are equally long,
// but what a query looks for are the longest of its direction, which are far from one another.
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

/// Rows whose vectors lie elsewhere than others do, or are told by codes only.
struct PointOverrides {
  /// Writes a row as a point.
  std::function<void(std::size_t row, float* out)> write;
  /// What its squared distance from everything is larger by than that point's, where that is known.
  std::function<std::optional<float>(std::size_t row)> beyond;
};

/// Of shorter vectors products vanish.
inline constexpr float shortest_measurable = 1e-15f;

struct MetricSpace {
  VectorsView rows;
  Metric metric = Metric::l2;
  const float* inverse_norms = nullptr;       // one a row, for Metric::cosine
  float length = 0;                           // that queries, and lifted rows, are brought to, for Metric::ip
  bool is_augmented = false;                  // whether points have the extra coordinate, for Metric::ip
  const float* augmentations = nullptr;       // that coordinate, one a row; null: found when needed
  const ScratchMaps* scratch = nullptr;       // that rows lie in, where they are too many for memory
  const PointOverrides* elsewhere = nullptr;  // that all points are taken from; null: from `rows`

  /// Coordinates of a row as a point; of bits, each is one.
  std::size_t point_dim() const noexcept {
    return metric == Metric::hamming ? rows.dim * 8 : rows.dim + has_augmentations();
  }
  bool has_augmentations() const noexcept { return metric == Metric::ip && is_augmented; }
  /// Says that these rows were read, so that they need not stay in memory.
  void has_read(std::span<const Row> some) const;
  /// Writes a row as a point.
  void write_point(std::size_t row, float* out) const;
  /// What a row's squared distance from every query has to be larger by so that it tells the metric's: of a row that is
  /// not as long as others are, and of what `elsewhere` knows.
  float beyond(std::size_t row, std::span<const float> point) const;

  /// The square of a query's length where the metric asks for it, else 0. Queries: f32, or of the rows' own element
  /// where that is an integer or bits.
  double query_square(const std::byte* query, Element element) const;
  /// Whether floats measure a query by the rows, of what `query_square` says: not where it is so short that products
  /// vanish.
  bool can_measure(double square) const noexcept {
    return square == 0 || square >= double{shortest_measurable} * shortest_measurable;
  }
  /// Writes a query, `dim` floats, as a point of the rows' length where the metric leaves that open.
  void write_query_point(const float* query, double square, float* out) const;
  /// The metric's distances from a query.
  Scorer from_query(const std::byte* query, Element element, double square) const;
  Scorer from_query(const std::byte* query, Element element) const {
    return from_query(query, element, query_square(query, element));
  }
  /// Distances from a row: squares between points, negated products under Metric::ip, or bits that differ.
  Scorer from_row(Row row, ScorerScratch& scratch) const;
};

/// Every bit of `count` bytes as 0 or 1.
void write_bits(const std::byte* bytes, std::size_t count, float* out);

/// Whether sums of floats tell the distances between vectors: none is so long that its square overflows or, under
/// Metric::cosine, so short that products vanish.
bool is_measurable(const VectorsView& rows, Metric metric, unsigned threads);

/// What floats tell of the squares of all of some vectors: of later kinds one vector is enough.
enum class Squares { zero, vanishing, measurable };
/// Under metrics that ask for them. Where all vanish, no distance is told.
Squares squares_of(const VectorsView& rows, Metric metric);

/// The extra coordinate, less `length`, of vectors of squared length `square` that are to have `length`.
float augmentation_of(double square, float length);

}  // namespace lookalike
