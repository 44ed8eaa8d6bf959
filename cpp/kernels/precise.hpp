// Distances as they are: from the stored elements in double, in which sums of integers are exact. The same to the last
// bit on every instruction set, whatever rows are measured together; for what is handed out.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "base/vectors_view.hpp"

namespace lookalike {

/// <row, row>, never rounded below double.
double precise_square(const std::byte* row, Element element, std::size_t dim);

/// One query, made ready to be measured against rows again and again. Borrows both.
///
/// Inner products are negated; cosine is 1 - cosine in [0, 2], and 1 where either side is zero.
struct PreciseScorer {
  void (*gather)(const PreciseScorer& scorer, const Row* picks, std::size_t count, std::size_t ahead,
                 double* out) noexcept = nullptr;
  const std::byte* query = nullptr;
  double square = 0;  // of the query, for Metric::cosine
  VectorsView rows;

  /// Asks memory for the `ahead` picks that follow, which are to be measured next.
  void measure(const Row* picks, std::size_t count, std::size_t ahead, double* out) const noexcept {
    gather(*this, picks, count, ahead, out);
  }
  double distance(Row row) const noexcept {
    double distance;
    measure(&row, 1, 0, &distance);
    return distance;
  }
  /// Asks memory for the whole of a short row; of a long one for what is read first, and the hardware follows.
  void prefetch(Row row) const noexcept {
    constexpr std::size_t line = 64, most = 16 * line;
    const std::byte* const at = rows.row(row);
    for (std::size_t i = 0; i < (rows.stride < most ? rows.stride : most); i += line) __builtin_prefetch(at + i);
  }
};

/// A query is of the rows' own element type or float, and as long as they are. `square`: its precise_square where the
/// metric is cosine.
PreciseScorer precise_scorer(Metric metric, const std::byte* query, Element element, double square,
                             const VectorsView& rows);

/// The distance of one stored row from a query of the same `dim`, float or of the row's own element type.
template <class Q>
double precise_distance(Metric metric, const Q* query, const std::byte* row, Element element, std::size_t dim);

}  // namespace lookalike
