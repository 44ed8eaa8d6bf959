// The k nearest rows, exactly: every row is measured, and the answer is ordered by the true distance, then by row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "bounds/row_bounds.hpp"
#include "topk/neighbor.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// What is searched. `inverse_norms` (one a row, 0 for a zero vector) is needed for Metric::cosine only;
/// `largest_norm`, an upper bound of |row|, for Metric::ip over floats.
struct ExactTarget {
  VectorsView rows;
  Metric metric = Metric::l2;
  const float* inverse_norms = nullptr;
  double largest_norm = 0;
  const RowFilter* admitted = nullptr;  // null: all rows
  const RowBounds* sketch = nullptr;    // of all rows, scaled by inverse_norms for cosine; null: none
};

/// Writes queries.count x k neighbours, nearest first, padded with {no_row, inf}.
///
/// Distances between integer rows and integer queries are exact integers; all others are computed in double from the
/// stored elements and rounded once to float, so the answer depends neither on the instruction set, nor on the number
/// of threads, nor on how queries are grouped in calls. Queries may be of any element that fits the rows: f32, f16, u8
/// or s8 against each other, bits against bits. threads = 0: all that are available; one query runs on the caller.
void exact_search(const ExactTarget& target, const VectorsView& queries, std::size_t k, unsigned threads,
                  std::span<Neighbor> out);

/// All rows within `radius` (distance <= radius) of each query, nearest first; one vector a query.
std::vector<std::vector<Neighbor>> exact_range(const ExactTarget& target, const VectorsView& queries, float radius,
                                               unsigned threads);

/// max |row|, rounded up; 0 for no rows.
double largest_norm(const VectorsView& rows);

/// 1 / |row| for every row, in double rounded to float; 0 for a zero vector.
void inverse_norms(const VectorsView& rows, float* out);

}  // namespace lookalike
