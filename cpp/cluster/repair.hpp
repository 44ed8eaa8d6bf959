// Refills clusters that lost all their points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cluster/members.hpp"

namespace lookalike {

/// Moves the farthest point of the cluster with the largest cost into each empty cluster, then moves all centroids to
/// the means of their members. A cluster gives no point if all its points equal its centroid. Returns the number of
/// refilled clusters.
std::size_t refill_empty_clusters(std::span<const float> points, std::size_t dim, std::span<std::uint32_t> labels,
                                  std::span<float> centroids, unsigned threads);

}  // namespace lookalike
