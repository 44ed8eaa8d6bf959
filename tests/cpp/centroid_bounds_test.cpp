// Lower bounds may exclude only centroids that are too far.
#include "bounds/centroid_bounds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "cluster/bound_screen.hpp"
#include "cluster/exact_argmin.hpp"
#include "cluster/float_screen.hpp"
#include "clusters.hpp"

namespace lookalike {
namespace {

constexpr std::size_t many_rounds = 1'000'000;  // so that training always pays off

std::vector<float> moved(std::vector<float> values, float scale, float offset) {
  for (float& x : values) x = x * scale + offset;
  return values;
}

struct PruningCodes {
  PruningCodes(const CentroidBounds& bounds, const std::vector<float>& rows)
      : codes(rows.size() / bounds.vector_dim() * bounds.length()), roundings(rows.size() / bounds.vector_dim()) {
    for (std::size_t i = 0; i < roundings.size(); ++i)
      bounds.encode(std::span(rows).subspan(i * bounds.vector_dim(), bounds.vector_dim()),
                    codes.data() + i * bounds.length(), roundings.data() + i);
  }
  std::vector<std::int8_t> codes;
  std::vector<float> roundings;
};

double square(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) sum += std::pow(static_cast<double>(a[d]) - b[d], 2);
  return sum;
}

TEST_CASE("a code distance never exceeds the limit for the true distance, and excludes most centroids") {
  for (const std::size_t dim : {40u, 64u, 200u})
    for (const auto& change : {std::pair{1.0f, 0.0f}, {1e-9f, 0.0f}, {1e9f, 0.0f}, {1.0f, 3e4f}}) {
      const float scale = change.first, offset = change.second;
      CAPTURE(dim);
      CAPTURE(scale);
      CAPTURE(offset);
      const std::vector<float> rows = moved(testing::clustered_floats(1500, dim, 1), scale, offset);
      std::vector<float> centroids(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(200 * dim));
      for (std::size_t i = 0; i < 200 * dim; ++i)  // means of two rows, and one outlier
        centroids[i] = (centroids[i] + rows[200 * dim + i]) / 2;
      for (std::size_t d = 0; d < dim; ++d) centroids[d] = 100 * scale + offset;
      const auto bounds = CentroidBounds::train(rows, dim, centroids, many_rounds, 2);
      REQUIRE(bounds);
      const PruningCodes points(*bounds, rows), means(*bounds, centroids);
      std::size_t wrong = 0, kept = 0;
      for (std::size_t i = 0; i < 1500; ++i) {
        double nearest = 1e300;
        std::vector<double> codes(200);
        for (std::size_t c = 0; c < 200; ++c) {
          for (std::size_t z = 0; z < bounds->length(); ++z)
            codes[c] += std::pow(points.codes[i * bounds->length() + z] - means.codes[c * bounds->length() + z], 2);
          const double exact = square(rows.data() + i * dim, centroids.data() + c * dim, dim);
          wrong += codes[c] > bounds->code_limit(exact, points.roundings[i] + means.roundings[c]);
          nearest = std::min(nearest, exact);
        }
        for (std::size_t c = 0; c < 200; ++c)
          kept += codes[c] <= bounds->code_limit(nearest, points.roundings[i] + means.roundings[c]);
      }
      CHECK(wrong == 0);
      CHECK(kept < 1500 * 200 / 4);
    }
}

TEST_CASE("screens of lower bounds and of floats agree with exhaustive search" * doctest::test_suite("kernels")) {
  const std::size_t dim = 72, count = 4000, clusters = 333;
  std::vector<float> rows = testing::clustered_floats(count, dim, 3);
  for (std::size_t d = 0; d < dim; ++d) rows[17 * dim + d] = 1e25f;  // outliers whose squares overflow
  for (std::size_t d = 0; d < dim; ++d) rows[18 * dim + d] = d % 2 ? 1e18f : -1e18f;
  std::vector<float> centroids(rows.begin(), rows.begin() + clusters * dim);
  for (std::size_t c = 100; c < 150; ++c)
    std::copy_n(centroids.begin() + static_cast<std::ptrdiff_t>((c - 100) * dim), dim,
                centroids.begin() + static_cast<std::ptrdiff_t>(c * dim));
  const std::vector<float> typical_rows = testing::clustered_floats(count, dim, 3);
  const auto bounds = CentroidBounds::train(typical_rows, dim, centroids, many_rounds, 2);
  REQUIRE(bounds);
  const EncodedPoints points(*bounds, rows, 2);
  const BoundScreen screen(*bounds, centroids, 2);
  std::vector<std::uint32_t> expected(count), found(count), by_floats(count);
  std::vector<float> scratch, squares(count);
  for (std::size_t i = 0; i < count; ++i)
    expected[i] = exact_argmin_all(rows.data() + i * dim, centroids.data(), dim, clusters, scratch).centroid;
  screen.assign(points, rows, BoundScreen::Guess::none, 2, found, squares);
  CHECK(found == expected);
  std::fill(found.begin(), found.end(), 5u);  // an arbitrary initial guess
  screen.assign(points, rows, BoundScreen::Guess::labels, 2, found, {});
  CHECK(found == expected);
  FloatScreen(centroids, dim, 2).assign(rows, 2, by_floats, {});
  CHECK(by_floats == expected);
}

TEST_CASE("no bounds are trained if they exclude nothing or overflow") {
  const std::size_t dim = 64;
  const std::vector<float> rows = testing::clustered_floats(1000, dim, 5);
  const std::span<const float> centroids = std::span(rows).first(100 * dim);
  CHECK(CentroidBounds::train(rows, dim, centroids, many_rounds, 1));
  CHECK(!CentroidBounds::train(rows, dim, centroids, 1, 1));                                  // too few searches
  CHECK(!CentroidBounds::train(rows, dim, std::span(rows).first(10 * dim), many_rounds, 1));  // too few centroids
  CHECK(!CentroidBounds::train(std::vector<float>(1000 * dim, 2), dim, centroids, many_rounds, 1));  // all rows equal
  CHECK(!CentroidBounds::train(moved(rows, 1e20f, 0), dim, moved({centroids.begin(), centroids.end()}, 1e20f, 0),
                               many_rounds, 1));
  const std::vector<float> short_rows(rows.begin(), rows.begin() + 200 * 8);
  CHECK(!CentroidBounds::train(short_rows, 8, std::span(short_rows).first(100 * 8), many_rounds, 1));  // short vectors
}

}  // namespace
}  // namespace lookalike
