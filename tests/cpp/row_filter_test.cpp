#include "topk/row_filter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace lookalike {
namespace {

std::vector<bool> bits(const RowFilter& filter) {
  std::vector<bool> all;
  for (Row row = 0; row < filter.rows(); ++row) all.push_back(filter.test(row));
  return all;
}

TEST_CASE("a filter starts with none or all, and counts no row past its end") {
  for (const std::size_t rows : {0, 1, 63, 64, 65, 127, 128, 1000}) {
    CAPTURE(rows);
    CHECK(RowFilter(rows).count() == 0);
    const RowFilter all(rows, true);
    CHECK(all.count() == rows);
    CHECK(bits(all) == std::vector<bool>(rows, true));
    CHECK(all.words().size() == (rows + 63) / 64);
  }
}

TEST_CASE("set, reset and resize behave as a vector of bool does") {
  std::mt19937 random(3);
  RowFilter filter(0);
  std::vector<bool> model;
  for (int step = 0; step < 3000; ++step) {
    if (model.empty() || random() % 10 == 0) {
      const std::size_t rows = random() % 300;
      const bool admitted = random() % 2;
      filter.resize(rows, admitted);
      model.resize(rows, admitted);
    } else {
      const auto row = static_cast<Row>(random() % model.size());
      const bool admitted = random() % 2;
      admitted ? filter.set(row) : filter.reset(row);
      model[row] = admitted;
    }
    REQUIRE(bits(filter) == model);
    REQUIRE(filter.count() == static_cast<std::size_t>(std::count(model.begin(), model.end(), true)));
  }
}

TEST_CASE("an intersection keeps the rows that both filters admit") {
  RowFilter even(200), third(200);
  for (Row row = 0; row < 200; row += 2) even.set(row);
  for (Row row = 0; row < 200; row += 3) third.set(row);
  even.intersect(third);
  for (Row row = 0; row < 200; ++row) CHECK(even.test(row) == (row % 6 == 0));
}

}  // namespace
TEST_CASE("a mask admits the rows whose byte is not 0") {
  for (const std::size_t rows : {0, 1, 7, 8, 9, 63, 64, 65, 200}) {
    std::vector<std::uint8_t> mask(rows);
    for (std::size_t row = 0; row < rows; ++row)
      mask[row] = static_cast<std::uint8_t>(row * row % 7 ? 1 << row % 8 : 0);
    const RowFilter filter = RowFilter::from_mask(mask);
    CHECK(filter.rows() == rows);
    std::size_t admitted = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      CHECK(filter.test(static_cast<Row>(row)) == (mask[row] != 0));
      admitted += mask[row] != 0;
    }
    CHECK(filter.count() == admitted);
  }
}

}  // namespace lookalike
