// Centring, products and orthonormal directions.
#include "linalg/projection.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"

namespace lookalike {
namespace {

std::vector<float> normals(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& x : values) x = normal(random);
  return values;
}

/// Rows with standard deviation 0.97^a along axis `a`.
std::vector<float> decaying(std::size_t rows, std::size_t dim, unsigned seed) {
  std::vector<float> values = normals(rows * dim, seed);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= std::pow(0.97f, static_cast<float>(i % dim));
  return values;
}

/// The largest deviation of the non-zero rows from orthonormality, and the number of zero rows.
std::pair<float, std::size_t> skew_of(std::span<const float> rows, std::size_t dim) {
  const std::size_t count = rows.size() / dim;
  std::vector<float> gram(count * count);
  inner_products(rows, rows, dim, 2, gram);
  float largest = 0;
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_zero = gram[i * count + i] == 0;
    zeros += is_zero;
    for (std::size_t j = 0; j < count; ++j)
      largest = std::max(largest, std::fabs(gram[i * count + j] - (i == j && !is_zero ? 1.0f : 0.0f)));
  }
  return {largest, zeros};
}

TEST_CASE("orthonormalized rows are orthonormal, and dependent rows become zero") {
  const std::size_t dim = 50, count = 20;
  std::vector<float> rows = normals(count * dim, 5);
  for (std::size_t d = 0; d < dim; ++d) rows[7 * dim + d] = 2 * rows[3 * dim + d] - rows[2 * dim + d];
  orthonormalize(rows, dim);
  const auto [skew, zeros] = skew_of(rows, dim);
  CHECK(skew < 1e-5f);
  CHECK(zeros <= 1);  // rounding noise may be independent of all other rows
}

TEST_CASE("products with packed rows and columns equal those with unpacked rows") {
  for (const std::size_t dim : {1, 33, 150})
    for (const std::size_t count : {1, 31, 70}) {
      const std::vector<float> a = normals(13 * dim, 1), b = normals(count * dim, 2), other = normals(13 * count, 3);
      std::vector<float> unpacked(13 * count), packed(13 * count), columns(13 * dim), expected(13 * dim);
      inner_products(a, b, dim, 2, unpacked);
      inner_products(a, packed_rows(b, dim, 2), dim, 2, packed);
      CHECK(unpacked == packed);
      for (std::size_t i = 0; i < 13; ++i)
        for (std::size_t j = 0; j < count; ++j) {
          double sum = 0;
          for (std::size_t d = 0; d < dim; ++d) sum += double{a[i * dim + d]} * b[j * dim + d];
          CHECK(unpacked[i * count + j] == doctest::Approx(sum).epsilon(1e-4));
        }
      std::vector<float> turned(b.size());
      for (std::size_t i = 0; i < b.size(); ++i) turned[i % dim * count + i / dim] = b[i];
      inner_products(other, packed_columns(b, dim, 2), count, 2, columns);
      inner_products(other, turned, count, 2, expected);
      CHECK(columns == expected);
    }
}

TEST_CASE("a sample is centred about its mean, without outliers") {
  const std::size_t dim = 70, count = 300;
  std::vector<float> rows = normals(count * dim, 4);
  for (float& x : rows) x += 5;
  std::vector<float> far = rows;
  for (std::size_t d = 0; d < dim; ++d)
    far[17 * dim + d] = 1e4f, far[18 * dim + d] = -1e7f;  // the larger outlier masks the smaller one
  const CenteredSample clean(rows, dim, 1), cleaned(far, dim, 2);
  CHECK(clean.rows.size() == count * dim);
  CHECK(cleaned.rows.size() == (count - 2) * dim);
  for (const CenteredSample* sample : {&clean, &cleaned})
    for (std::size_t d = 0; d < dim; ++d) {
      double sum = 0;
      for (std::size_t i = d; i < sample->rows.size(); i += dim) sum += sample->rows[i];
      CHECK(std::fabs(sum) < 0.01);
      CHECK(sample->mean[d] == doctest::Approx(5).epsilon(0.05));
    }
}

TEST_CASE("principal directions capture nearly the largest possible variance") {
  const std::size_t dim = 200, count = 500;
  const std::vector<float> rows = decaying(count, dim, 6);
  for (const std::size_t requested : {20, 64, 100, 150}) {
    CAPTURE(requested);
    const std::vector<float> directions = principal_directions(rows, dim, requested, 1, 2);
    const auto [skew, zeros] = skew_of(directions, dim);
    CHECK(skew < 1e-5f);
    CHECK(zeros == 0);
    std::vector<float> along(requested * count);
    inner_products(directions, rows, dim, 2, along);
    double captured = 0, best = 0;
    for (const float x : along) captured += double{x} * x;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (i % dim < requested) best += double{rows[i]} * rows[i];
    CHECK(captured > 0.95 * best);
  }
}

TEST_CASE("added directions keep the previous ones, for any number of threads") {
  const std::size_t dim = 150;
  const std::vector<float> rows = decaying(400, dim, 7);
  PrincipalDirections grown(rows, dim, 3, 1);
  for (const std::size_t requested : {64, 128, 150}) grown.leading(requested);
  const std::vector<float> at_once = principal_directions(rows, dim, 150, 3, 2);
  const std::span<const float> all = grown.leading(150), few = grown.leading(64);
  CHECK(std::equal(all.begin(), all.end(), at_once.begin(), at_once.end()));
  CHECK(std::equal(few.begin(), few.end(), at_once.begin()));
}

TEST_CASE("with low-rank data, the other directions are orthonormal to the rest or zero") {
  const std::size_t dim = 160, count = 300;
  for (const std::size_t differing : {0, 1, 40, 70}) {
    CAPTURE(differing);
    std::vector<float> rows(count * dim);
    const std::vector<float> axes = normals(differing * dim, 8), parts = normals(count * differing, 9);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t a = 0; a < differing; ++a)
        for (std::size_t d = 0; d < dim; ++d) rows[i * dim + d] += parts[i * differing + a] * axes[a * dim + d];
    const std::vector<float> directions = principal_directions(rows, dim, 140, 1, 2);
    CHECK(skew_of(directions, dim).first < 1e-4f);
    std::vector<float> along(140 * count);
    inner_products(directions, rows, dim, 2, along);
    double captured = 0, all = 0;
    for (const float x : along) captured += double{x} * x;
    for (const float x : rows) all += double{x} * x;
    CHECK(captured == doctest::Approx(all).epsilon(1e-4));
  }
}

}  // namespace
}  // namespace lookalike
