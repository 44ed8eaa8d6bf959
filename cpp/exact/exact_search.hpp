// Exact k-nearest-neighbour and range search, ordered by exact distance, then by row.
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

/// The rows to search. Metric::cosine needs `inverse_norms`, one per row, 0 for a zero vector. Metric::ip over floats
/// needs `largest_norm`, an upper bound of |row|.
struct ExactTarget {
  VectorsView rows;
  Metric metric = Metric::l2;
  const float* inverse_norms = nullptr;
  double largest_norm = 0;
  const RowFilter* admitted = nullptr;  // null: all rows
  const RowBounds* bounds = nullptr;    // of all rows, scaled by inverse_norms for cosine; null: none
};

/// Writes queries.count x k neighbours, nearest first, padded with {no_row, inf}.
///
/// Distances between integer rows and integer queries are exact integers. All others are computed in double from the
/// stored elements and rounded once to float. The answer therefore does not depend on the instruction set, the number
/// of threads or the grouping of queries into calls. Queries and rows may have any of the elements f32, f16, u8 and s8,
/// or both have bits. threads = 0: all that are available. A single query runs on the calling thread.
void exact_search(const ExactTarget& target, const VectorsView& queries, std::size_t k, unsigned threads,
                  std::span<Neighbor> out);

/// All rows with distance <= radius from each query, nearest first. Returns one vector per query.
std::vector<std::vector<Neighbor>> exact_range(const ExactTarget& target, const VectorsView& queries, float radius,
                                               unsigned threads);

/// The largest |row|, rounded up; 0 if there are no rows.
double largest_norm(const VectorsView& rows);

/// Writes 1 / |row| for every row, computed in double and rounded to float; 0 for a zero vector.
void inverse_norms(const VectorsView& rows, float* out);

}  // namespace lookalike
