// Exact distances for results, computed in double precision from the stored elements. Integer sums are exact. Results
// are bit-identical on every instruction set and do not depend on the other rows of a call.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "base/vectors_view.hpp"

namespace lookalike {

/// <row, row> in double precision.
double precise_squared_norm(const std::byte* row, Element element, std::size_t dim);

/// Exact distances from one query to rows. Borrows the query and the rows.
///
/// Inner products are negated. The cosine distance is 1 - cosine, in [0, 2], and 1 if either vector is zero.
struct PreciseScorer {
  void (*gather)(const PreciseScorer& scorer, const Row* picks, std::size_t count, std::size_t ahead,
                 double* out) noexcept = nullptr;
  const std::byte* query = nullptr;
  double squared_norm = 0;  // of the query; Metric::cosine only
  VectorsView rows;

  /// out[i] = distance to row picks[i]. Prefetches the `ahead` picks that follow and are measured next.
  void measure(const Row* picks, std::size_t count, std::size_t ahead, double* out) const noexcept {
    gather(*this, picks, count, ahead, out);
  }
  double distance(Row row) const noexcept {
    double distance;
    measure(&row, 1, 0, &distance);
    return distance;
  }
  /// Prefetches up to 16 cache lines of a row. The hardware prefetcher continues with longer rows.
  void prefetch(Row row) const noexcept {
    constexpr std::size_t line = 64, max_bytes = 16 * line;
    const std::byte* const at = rows.row(row);
    for (std::size_t i = 0; i < (rows.stride < max_bytes ? rows.stride : max_bytes); i += line)
      __builtin_prefetch(at + i);
  }
};

/// The query has the rows' dim and element type, or is float. `squared_norm` is its precise_squared_norm, read for
/// cosine only.
PreciseScorer precise_scorer(Metric metric, const std::byte* query, Element element, double squared_norm,
                             const VectorsView& rows);

/// The exact distance of one row from a query of the same `dim`, which is float or has the row's element type.
template <class Q>
double precise_distance(Metric metric, const Q* query, const std::byte* row, Element element, std::size_t dim);

}  // namespace lookalike
