// Limits the size of clusters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// Moves points out of every cluster with more than `capacity` points into the nearest cluster that is not full. Moves
/// the points first whose squared distance increases least. Precondition: capacity * clusters >= points. Returns the
/// number of moved points.
std::size_t move_overflow(std::span<const float> points, std::size_t dim, std::span<const float> centroids,
                          std::size_t capacity, unsigned threads, std::span<std::uint32_t> labels);

}  // namespace lookalike
