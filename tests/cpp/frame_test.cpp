// Which lists are too tight for a frame about the middle of all data.
#include "lists/frame.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace lookalike {
namespace {

TEST_CASE("the middle is each coordinate's median, whatever a few rows say") {
  const std::vector<float> rows = {1, 10, 2, 20, 3, 30, 4, 40, 1e9f, -1e9f};
  CHECK(coordinate_medians(rows, 2) == std::vector<float>{3, 20});
  std::vector<float> wide(3 * 40);  // more coordinates than are looked at together
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<float>(i);
  const std::vector<float> middle = coordinate_medians(wide, 40);
  for (std::size_t d = 0; d < 40; ++d) CHECK(middle[d] == static_cast<float>(40 + d));
}

TEST_CASE("lists are too tight where they lie far from the middle beside how wide they are") {
  const std::vector<float> centroids = {10, 0, -10, 0, 0, 0}, middle = {0, 0};
  const std::vector<ListSpread> tight = {{5, 4.0}, {7, 6.0}, {9, 8.0}};  // a square of 1 a row
  CHECK(count_rows_in_tight_lists(centroids, tight, middle) == 12);            // the third lies in the middle
  const std::vector<ListSpread> wide = {{5, 40.0}, {7, 60.0}, {9, 80.0}};
  CHECK(count_rows_in_tight_lists(centroids, wide, middle) == 0);
  // Of a single row, and of equal ones, there is nothing to tell apart.
  const std::vector<ListSpread> lone = {{1, 0.0}, {7, 6e-11}, {0, 0.0}};
  CHECK(count_rows_in_tight_lists(centroids, lone, middle) == 0);
}

}  // namespace
}  // namespace lookalike
