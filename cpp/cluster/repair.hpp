// Clusters that lost all their points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cluster/members.hpp"

namespace lookalike {

/// Gives every empty cluster the farthest point of the cluster that costs most, and moves that one's centroid to the
/// mean of the rest. Clusters all of whose points lie on their centroid give none. Returns how many were filled.
std::size_t fill_empty(std::span<const float> points, std::size_t dim, std::span<std::uint32_t> labels,
                       std::span<float> centroids, unsigned threads);

}  // namespace lookalike
