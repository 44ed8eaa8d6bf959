// Chooses initial centroids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "bounds/centroid_bounds.hpp"

namespace lookalike {

/// `count` distinct rows of [0, rows), chosen uniformly, in random order.
std::vector<Row> random_rows(std::size_t rows, std::size_t count, std::uint64_t seed);

/// k-means++ [Arthur and Vassilvitskii 2007, section 2.2]: `count` distinct rows of dense `points` of `dim` floats,
/// each chosen with a probability proportional to its squared distance to the rows chosen before. Samples the points
/// first if there are many more points than clusters. `bounds`, if not null, only saves time.
std::vector<Row> kmeans_plus_plus_rows(std::span<const float> points, std::size_t dim, std::size_t count,
                                       std::uint64_t seed, const CentroidBounds* bounds, unsigned threads);

}  // namespace lookalike
