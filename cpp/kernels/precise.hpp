// Distances as they are: in exact integers where both sides are, else in double, from the stored elements.
// Slow beside the tables' kernels, and the same on every instruction set; for the few rows that are handed out.
#pragma once

#include <cstddef>

#include "base/types.hpp"

namespace lookalike {

/// The distance of a stored row from a query of the same `dim`. A query is of the row's own element type or float.
/// Inner products are negated; cosine is 1 - cosine in [0, 2], and 1 where either side is zero.
template <class Q>
double precise_distance(Metric metric, const Q* query, const std::byte* row, Element element, std::size_t dim);

/// <row, row>, never rounded below double.
double precise_square(const std::byte* row, Element element, std::size_t dim);

}  // namespace lookalike
