// Every path of exact search against a brute-force reference: the results must be bit-identical.
#include "exact/exact_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/errors.hpp"
#include "kernels/precise.hpp"
#include "vectors.hpp"

namespace lookalike {
namespace {

using testing::number;
using testing::random_element;
using testing::Rows;

template <class X>
constexpr Element element_of() {
  if (std::is_same_v<X, float>) return Element::f32;
  if (std::is_same_v<X, Half>) return Element::f16;
  return std::is_same_v<X, std::uint8_t> ? Element::u8 : Element::s8;
}

template <class X>
VectorsView view(const Rows<X>& rows, std::size_t count, std::size_t dim) {
  return {rows.data(), element_of<X>(), count, dim, rows.stride()};
}

template <class X, class Q>
double measured(Metric metric, const Rows<X>& rows, std::size_t r, const Rows<Q>& queries, std::size_t q,
                std::size_t dim) {
  const auto* const row = reinterpret_cast<const X*>(rows.data() + r * rows.stride());
  const auto* const query = reinterpret_cast<const Q*>(queries.data() + q * queries.stride());
  double l2 = 0, dot = 0, xx = 0, qq = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double x = number(row[d]), y = number(query[d]);
    l2 += (x - y) * (x - y);
    dot += x * y;
    xx += x * x;
    qq += y * y;
  }
  if (metric == Metric::l2) return l2;
  if (metric == Metric::ip) return -dot;
  return xx * qq > 0 ? std::clamp(1 - dot / std::sqrt(xx * qq), 0.0, 2.0) : 1;
}

struct Case {
  std::size_t rows, queries, dim, k;
};

/// Whether `found` holds k rows with correct distances, and no other row is nearer than the last.
template <class X, class Q>
void check_answer(Metric metric, const Rows<X>& rows, const Rows<Q>& queries, const Case& c, const RowFilter* admitted,
                  const std::vector<Neighbor>& found) {
  for (std::size_t q = 0; q < c.queries; ++q) {
    std::vector<double> all;
    for (std::size_t r = 0; r < c.rows; ++r)
      if (!admitted || admitted->test(static_cast<Row>(r))) all.push_back(measured(metric, rows, r, queries, q, c.dim));
    std::sort(all.begin(), all.end());
    for (std::size_t j = 0; j < c.k; ++j) {
      const Neighbor n = found[q * c.k + j];
      if (j >= all.size()) {
        CHECK(n.row == no_row);
        CHECK(std::isinf(n.distance));
        continue;
      }
      REQUIRE(n.row < c.rows);
      if (admitted) CHECK(admitted->test(n.row));
      const double truth = measured(metric, rows, n.row, queries, q, c.dim);
      CHECK(std::abs(truth - all[j]) <= 1e-12 * std::abs(all[j]) + 1e-13);
      CHECK(n.distance == doctest::Approx(truth).epsilon(1e-6));
    }
  }
}

template <class X, class Q, class MakeX, class MakeQ>
void check_search(Metric metric, const Case& c, MakeX make_x, MakeQ make_q) {
  CAPTURE(name_of(metric));
  CAPTURE(c.rows);
  CAPTURE(c.dim);
  CAPTURE(c.k);
  Rows<X> rows(c.rows, c.dim, c.dim * sizeof(X) + sizeof(X), 0);
  rows.fill(make_x);
  Rows<Q> queries(c.queries, c.dim, c.dim * sizeof(Q), 0);
  queries.fill(make_q);
  const VectorsView base = view(rows, c.rows, c.dim), query_vectors = view(queries, c.queries, c.dim);
  std::vector<float> inverse(c.rows);
  inverse_norms(base, inverse.data());
  std::vector<Neighbor> batch(c.queries * c.k), single(c.queries * c.k), threaded(c.queries * c.k);

  RowFilter some(c.rows);
  for (std::size_t r = 0; r < c.rows; r += 3) some.set(static_cast<Row>(r));
  for (const RowFilter* admitted : {static_cast<const RowFilter*>(nullptr), static_cast<const RowFilter*>(&some)}) {
    const ExactTarget target{.rows = base,
                             .metric = metric,
                             .inverse_norms = inverse.data(),
                             .largest_norm = largest_norm(base),
                             .admitted = admitted};
    exact_search(target, query_vectors, c.k, 1, batch);
    exact_search(target, query_vectors, c.k, 3, threaded);
    for (std::size_t q = 0; q < c.queries; ++q)
      exact_search(target, query_vectors.slice(q, 1), c.k, 1, std::span(single).subspan(q * c.k, c.k));
    check_answer(metric, rows, queries, c, admitted, batch);
    std::size_t different = 0;
    for (std::size_t i = 0; i < batch.size(); ++i)
      different += batch[i].row != single[i].row || batch[i].distance != single[i].distance ||
                   batch[i].row != threaded[i].row || batch[i].distance != threaded[i].distance;
    CHECK(different == 0);
  }
}

constexpr Metric number_metrics[] = {Metric::l2, Metric::ip, Metric::cosine};

template <class X, class Q>
void check_random(const Case& c) {
  std::mt19937 random(7);
  for (const Metric metric : number_metrics)
    check_search<X, Q>(metric, c, [&] { return random_element<X>(random); }, [&] { return random_element<Q>(random); });
}

TEST_CASE("every pair of element types, every metric") {
  const Case c{500, 9, 37, 10};
  check_random<float, float>(c);
  check_random<Half, float>(c);
  check_random<Half, Half>(c);
  check_random<std::uint8_t, float>(c);
  check_random<std::int8_t, float>(c);
  check_random<std::uint8_t, std::uint8_t>(c);
  check_random<std::int8_t, std::int8_t>(c);
  check_random<std::uint8_t, std::int8_t>(c);
  check_random<std::int8_t, std::uint8_t>(c);
  check_random<float, std::uint8_t>(c);
}

TEST_CASE("edge cases: one row, one dimension, k above the rows, more queries than a panel") {
  for (const Case& c : {Case{1, 1, 1, 1}, Case{1, 5, 3, 4}, Case{33, 13, 1, 5}, Case{40, 30, 64, 100},
                        Case{700, 25, 5, 1}, Case{300, 8, 129, 299}})
    check_random<float, float>(c);
}

TEST_CASE("long vectors of extreme bytes do not overflow") {
  std::mt19937 random(11);
  const Case c{20, 2, 65536, 3};
  const auto u8 = [&] { return static_cast<std::uint8_t>(random() % 4 ? 255 : 0); };
  const auto s8 = [&] { return static_cast<std::int8_t>(random() % 4 ? 127 : -128); };
  const auto low = [] { return static_cast<std::uint8_t>(0); };
  for (const Metric metric : number_metrics) {
    check_search<std::uint8_t, std::uint8_t>(metric, c, u8, u8);
    check_search<std::uint8_t, std::uint8_t>(metric, c, u8, low);
    check_search<std::int8_t, std::int8_t>(metric, c, s8, [&] { return static_cast<std::int8_t>(-1 - s8()); });
  }
}

TEST_CASE("far from the origin no precision is lost to cancellation") {
  std::mt19937 random(8);
  const auto far = [&] { return 10000.0f + 0.01f * random_element<float>(random); };
  check_search<float, float>(Metric::l2, {600, 9, 40, 10}, far, far);
}

TEST_CASE("equal rows are returned in insertion order") {
  for (const Metric metric : number_metrics)
    for (const std::size_t queries : {1, 9}) {
      const std::size_t n = 3000, dim = 8, k = 5;
      Rows<float> rows(n, dim, dim * sizeof(float), 0);
      rows.fill([] { return 0.3f; });
      std::vector<float> inverse(n);
      inverse_norms(view(rows, n, dim), inverse.data());
      const ExactTarget target{.rows = view(rows, n, dim),
                               .metric = metric,
                               .inverse_norms = inverse.data(),
                               .largest_norm = largest_norm(view(rows, n, dim))};
      std::vector<Neighbor> found(queries * k);
      exact_search(target, view(rows, queries, dim), k, 2, found);
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i].row == i % k);
    }
}

TEST_CASE("values whose squares overflow or underflow float are still ordered") {
  for (const float size : {1e25f, 1e19f, 1e-19f, 1e-21f, 1e-22f, 1e-30f})
    for (const std::size_t queries : {1, 9}) {
      const std::size_t n = 900, dim = 6, k = 7;
      std::mt19937 random(9);
      Rows<float> rows(n, dim, dim * sizeof(float), 0), query_vectors(queries, dim, dim * sizeof(float), 0);
      rows.fill([&] { return size * random_element<float>(random); });
      query_vectors.fill([&] { return size * random_element<float>(random); });
      std::vector<float> inverse(n);
      inverse_norms(view(rows, n, dim), inverse.data());
      for (const Metric metric : number_metrics) {
        const ExactTarget target{.rows = view(rows, n, dim),
                                 .metric = metric,
                                 .inverse_norms = inverse.data(),
                                 .largest_norm = largest_norm(view(rows, n, dim))};
        std::vector<Neighbor> found(queries * k);
        exact_search(target, view(query_vectors, queries, dim), k, 1, found);
        for (std::size_t q = 0; q < queries; ++q) {
          std::vector<std::pair<double, Row>> all;
          for (std::size_t r = 0; r < n; ++r)
            all.emplace_back(measured(metric, rows, r, query_vectors, q, dim), static_cast<Row>(r));
          std::sort(all.begin(), all.end());
          for (std::size_t j = 0; j < k; ++j) CHECK(found[q * k + j].row == all[j].second);
        }
      }
    }
}

TEST_CASE("zero vectors are at cosine distance 1 from everything") {
  const std::size_t n = 100, dim = 4;
  Rows<float> rows(n, dim, dim * sizeof(float), 0);
  rows.fill([] { return 0.0f; });
  std::vector<float> inverse(n);
  inverse_norms(view(rows, n, dim), inverse.data());
  const ExactTarget target{.rows = view(rows, n, dim), .metric = Metric::cosine, .inverse_norms = inverse.data()};
  for (const std::size_t queries : {1, 9}) {
    std::vector<Neighbor> found(queries * 3);
    exact_search(target, view(rows, queries, dim), 3, 1, found);
    for (const Neighbor& n1 : found) CHECK(n1.distance == 1.0f);
  }
}

TEST_CASE("range search finds all within the radius and nothing else") {
  std::mt19937 random(10);
  const std::size_t n = 1500, dim = 12, queries = 5;
  Rows<float> rows(n, dim, dim * sizeof(float), 0), query_vectors(queries, dim, dim * sizeof(float), 0);
  rows.fill([&] { return random_element<float>(random); });
  query_vectors.fill([&] { return random_element<float>(random); });
  std::vector<float> inverse(n);
  inverse_norms(view(rows, n, dim), inverse.data());
  for (const Metric metric : number_metrics) {
    const ExactTarget target{.rows = view(rows, n, dim),
                             .metric = metric,
                             .inverse_norms = inverse.data(),
                             .largest_norm = largest_norm(view(rows, n, dim))};
    for (const float radius : {-4.0f, -1.0f, 0.0f, 0.6f, 9.0f, 1e9f}) {
      const auto found = exact_range(target, view(query_vectors, queries, dim), radius, 2);
      for (std::size_t q = 0; q < queries; ++q) {
        std::size_t within = 0;
        for (std::size_t r = 0; r < n; ++r)
          within += static_cast<float>(measured(metric, rows, r, query_vectors, q, dim)) <= radius;
        CHECK(found[q].size() == within);
        CHECK(std::is_sorted(found[q].begin(), found[q].end(),
                             [](const Neighbor& a, const Neighbor& b) { return a.distance < b.distance; }));
      }
    }
  }
}

}  // namespace
}  // namespace lookalike
