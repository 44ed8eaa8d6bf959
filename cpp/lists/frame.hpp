// Whether lists can share one frame, see Frame, or are too tight for how far apart they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// Where the vectors lie that are rounded to bytes. Rounding is wrong by a share of how long they are: about the middle
/// of all data that is more than the distances inside a list where lists are far tighter than they lie apart, and then
/// each list needs a frame of its own, about its centroid. A shared one takes less time.
enum class Frame : std::uint8_t { shared, own };

/// How some rows of a list lie about their mean.
struct Spread {
  std::size_t rows = 0;
  double squares = 0;  // of their distances from it, in total
};

/// The median of each coordinate of dense rows: a few that lie far away from all others do not move it.
std::vector<float> middle_of(std::span<const float> rows, std::size_t dim);

/// How many rows stand in lists that a frame about `middle` is too coarse for. One centroid and one spread a list;
/// lists of equal rows count for nothing.
std::size_t count_too_tight(std::span<const float> centroids, std::span<const Spread> spreads,
                            std::span<const float> middle);

}  // namespace lookalike
