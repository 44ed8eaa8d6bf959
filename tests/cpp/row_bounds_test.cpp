// Lower bounds may exclude only rows that are too far.
#include "bounds/row_bounds.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "exact/exact_search.hpp"
#include "vectors.hpp"

namespace lookalike {
namespace {

/// Rows around `center` with most variance along a few directions.
std::vector<float> clustered(std::size_t rows, std::size_t dim, float center, unsigned seed) {
  constexpr std::size_t directions = 12;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::mt19937 shared(1);  // the same directions for rows and queries
  std::vector<float> axes(directions * dim), out(rows * dim);
  for (float& x : axes) x = normal(shared);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t d = 0; d < dim; ++d) out[i * dim + d] = center + 0.2f * normal(random);
    for (std::size_t a = 0; a < directions; ++a) {
      const float along = normal(random);
      for (std::size_t d = 0; d < dim; ++d) out[i * dim + d] += along * axes[a * dim + d];
    }
  }
  return out;
}

VectorsView view(const std::vector<float>& vectors, std::size_t dim) {
  return {reinterpret_cast<const std::byte*>(vectors.data()), Element::f32, vectors.size() / dim, dim,
          dim * sizeof(float)};
}

TEST_CASE("the code limit of a distance is never below the code distance of a pair at that distance") {
  const std::size_t n = 1500, dim = 96, queries = 20;
  for (const float center : {0.0f, 1000.0f})
    for (const bool unit : {false, true}) {
      const std::vector<float> rows = clustered(n, dim, center, 2), query_values = clustered(queries, dim, center, 3);
      std::vector<float> inverse(n);
      inverse_norms(view(rows, dim), inverse.data());
      const auto sketch = RowBounds::build(view(rows, dim), unit ? inverse.data() : nullptr, 2);
      REQUIRE(sketch);
      std::vector<std::int8_t> code(sketch->dim());
      std::size_t below = 0;
      for (std::size_t q = 0; q < queries; ++q) {
        const float* const query = query_values.data() + q * dim;
        double norm = 0;
        for (std::size_t d = 0; d < dim; ++d) norm += static_cast<double>(query[d]) * query[d];
        const double scale = unit ? 1 / std::sqrt(norm) : 1;
        std::vector<float> vector(query, query + dim);
        const double scales[1] = {scale};
        float rounding = 0;
        sketch->encode(vector, scales, 1, code.data(), &rounding);
        for (std::size_t r = 0; r < n; ++r) {
          double truth = 0, codes = 0;
          for (std::size_t d = 0; d < dim; ++d) {
            const double x = rows[r * dim + d] * (unit ? static_cast<double>(inverse[r]) : 1);
            truth += (x - query[d] * scale) * (x - query[d] * scale);
          }
          const auto* const stored = reinterpret_cast<const std::int8_t*>(sketch->codes().row(r));
          for (std::size_t d = 0; d < sketch->dim(); ++d) codes += (stored[d] - code[d]) * (stored[d] - code[d]);
          below += codes > sketch->code_limit(truth, rounding);
        }
      }
      CHECK(below == 0);
    }
}

TEST_CASE("data without structure get no lower-bound codes") {
  std::mt19937 random(4);
  std::normal_distribution<float> normal;
  std::vector<float> rows(4000 * 64);
  for (float& x : rows) x = normal(random);
  CHECK(RowBounds::build(view(rows, 64), nullptr, 2) == nullptr);
}

TEST_CASE("searches give the same results with and without lower-bound codes") {
  const std::size_t n = 9000, dim = 128, queries = 24, k = 10;
  const std::vector<float> rows = clustered(n, dim, 5, 2), query_values = clustered(queries, dim, 5, 3);
  std::vector<float> inverse(n);
  inverse_norms(view(rows, dim), inverse.data());
  RowFilter most(n, true);
  for (Row row = 0; row < n; row += 5) most.reset(row);
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    const auto sketch = RowBounds::build(view(rows, dim), metric == Metric::cosine ? inverse.data() : nullptr, 2);
    REQUIRE(sketch);
    for (const RowFilter* admitted : {static_cast<const RowFilter*>(nullptr), static_cast<const RowFilter*>(&most)}) {
      ExactTarget target{
          .rows = view(rows, dim), .metric = metric, .inverse_norms = inverse.data(), .admitted = admitted};
      std::vector<Neighbor> without_bounds(queries * k), with_bounds(queries * k), single(k);
      exact_search(target, view(query_values, dim), k, 2, without_bounds);
      target.bounds = sketch.get();
      for (const unsigned threads : {1u, 2u}) {
        exact_search(target, view(query_values, dim), k, threads, with_bounds);
        for (std::size_t i = 0; i < without_bounds.size(); ++i) {
          CHECK(with_bounds[i].row == without_bounds[i].row);
          CHECK(with_bounds[i].distance == without_bounds[i].distance);
        }
      }
      for (std::size_t q = 0; q < queries; q += 7) {
        exact_search(target, view(query_values, dim).slice(q, 1), k, 1, single);
        for (std::size_t j = 0; j < k; ++j) CHECK(single[j].row == without_bounds[q * k + j].row);
      }
    }
  }
}

TEST_CASE("many threads share queries for which the bounds exclude nothing") {
  const std::size_t n = 9000, dim = 128, queries = 48, k = 10;
  const std::vector<float> rows = clustered(n, dim, 5, 2), query_values(queries * dim, 0.0f);
  std::vector<float> inverse(n);
  inverse_norms(view(rows, dim), inverse.data());
  const auto sketch = RowBounds::build(view(rows, dim), inverse.data(), 2);
  REQUIRE(sketch);
  const ExactTarget target{
      .rows = view(rows, dim), .metric = Metric::cosine, .inverse_norms = inverse.data(), .bounds = sketch.get()};
  std::vector<Neighbor> found(queries * k);
  exact_search(target, view(query_values, dim), k, 4, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].row == i % k);
    CHECK(found[i].distance == 1.0f);
  }
}

TEST_CASE("vectors whose inverse norms nearly overflow get no lower-bound codes") {
  const std::size_t n = 9000, dim = 128;
  std::vector<float> rows = clustered(n, dim, 5, 2), inverse(n);
  for (std::size_t d = 0; d < dim; ++d) rows[77 * dim + d] = d % 2 ? 3e38f : -3e38f;
  inverse_norms(view(rows, dim), inverse.data());
  CHECK(RowBounds::build(view(rows, dim), inverse.data(), 2) == nullptr);
}

}  // namespace
}  // namespace lookalike
