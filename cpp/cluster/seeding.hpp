// Where centroids are before the first iteration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "bounds/centroid_bounds.hpp"

namespace lookalike {

/// `count` distinct rows of [0, rows), all sets equally likely, in random order.
std::vector<Row> random_rows(std::size_t rows, std::size_t count, std::uint64_t seed);

/// `count` distinct rows of dense `points` of `dim` floats, likelier the farther they lie from those chosen before
/// [Arthur and Vassilvitskii 2007, section 2.2].
/// Chosen among a sample where there are many more points than clusters. `bounds` may tell bounds, which change
/// nothing but how long that takes.
std::vector<Row> spread_rows(std::span<const float> points, std::size_t dim, std::size_t count, std::uint64_t seed,
                             const CentroidBounds* bounds, unsigned threads);

}  // namespace lookalike
