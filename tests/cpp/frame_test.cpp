// Finds the lists that are too tight for a frame at the median of all rows.
#include "lists/frame.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace lookalike {
namespace {

TEST_CASE("the origin is the median of each coordinate and ignores outliers") {
  const std::vector<float> rows = {1, 10, 2, 20, 3, 30, 4, 40, 1e9f, -1e9f};
  CHECK(coordinate_medians(rows, 2) == std::vector<float>{3, 20});
  std::vector<float> wide(3 * 40);  // more coordinates than one batch
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<float>(i);
  const std::vector<float> origin = coordinate_medians(wide, 40);
  for (std::size_t d = 0; d < 40; ++d) CHECK(origin[d] == static_cast<float>(40 + d));
}

TEST_CASE("lists are too tight if their distance from the origin is large compared with their spread") {
  const std::vector<float> centroids = {10, 0, -10, 0, 0, 0}, origin = {0, 0};
  const std::vector<ListSpread> tight = {{5, 4.0}, {7, 6.0}, {9, 8.0}};  // squared distance 1 per row
  CHECK(count_rows_in_tight_lists(centroids, tight, origin) == 12);      // the third lies at the median
  const std::vector<ListSpread> wide = {{5, 40.0}, {7, 60.0}, {9, 80.0}};
  CHECK(count_rows_in_tight_lists(centroids, wide, origin) == 0);
  // Single rows and equal rows have no distances to resolve, so their lists do not count.
  const std::vector<ListSpread> lone = {{1, 0.0}, {7, 6e-11}, {0, 0.0}};
  CHECK(count_rows_in_tight_lists(centroids, lone, origin) == 0);
}

}  // namespace
}  // namespace lookalike
