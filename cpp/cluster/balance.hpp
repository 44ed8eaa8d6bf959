// Clusters none of which is longer than the others allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// Takes points out of every cluster longer than `capacity` until it is not, always the one that gains least by being
/// there rather than in the nearest cluster with room, and puts them into that. There is room for all: capacity times
/// clusters is at least the number of points. Returns how many points moved.
std::size_t move_overflow(std::span<const float> points, std::size_t dim, std::span<const float> centroids,
                          std::size_t capacity, unsigned threads, std::span<std::uint32_t> labels);

}  // namespace lookalike
