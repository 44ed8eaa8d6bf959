// The frame (origin) of list codes, and the test whether all lists can share one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// The origin that queries are measured from when they are rounded to bytes. The rounding error is proportional to the
/// length of the rounded vector. With one shared origin this error exceeds the distances inside a list when lists are
/// much tighter than the gaps between them; then each list uses its centroid as origin. A shared frame is faster.
enum class Frame : std::uint8_t { shared, per_list };

/// How far some rows of a list lie from their mean.
struct ListSpread {
  std::size_t rows = 0;
  double sum_of_squares = 0;  // of the distances between rows and mean
};

/// The median of each coordinate of dense rows. Unlike the mean it is robust against outliers.
std::vector<float> coordinate_medians(std::span<const float> rows, std::size_t dim);

/// Counts the rows of all lists that are too tight for a frame around `origin`. There is one centroid and one spread
/// per list. Lists whose rows are all equal are not counted.
std::size_t count_rows_in_tight_lists(std::span<const float> centroids, std::span<const ListSpread> spreads,
                                      std::span<const float> origin);

}  // namespace lookalike
