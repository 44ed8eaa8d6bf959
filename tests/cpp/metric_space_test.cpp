// Metric spaces: distances from queries follow the metric, distances from rows are those of points in one space.
#include "distance/metric_space.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "clusters.hpp"
#include "exact/exact_search.hpp"
#include "kernels/precise.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::Vectors;

constexpr Metric metrics[] = {Metric::l2, Metric::ip, Metric::cosine};
constexpr Element elements[] = {Element::f32, Element::f16, Element::u8, Element::s8};

/// A metric space with its inverse norms and augmentations.
struct SpaceWithRows {
  SpaceWithRows(Vectors rows, Metric metric) : vectors(std::move(rows)) {
    const VectorsView view = vectors.view();
    inverse.resize(view.count);
    if (metric == Metric::cosine) inverse_norms(view, inverse.data());
    const auto length = metric == Metric::ip ? static_cast<float>(largest_norm(view)) : 0;
    for (std::size_t i = 0; i < view.count && metric == Metric::ip; ++i)
      augmentations.push_back(augmentation_of(precise_squared_norm(view.row(i), view.element, view.dim), length));
    space = {view, metric, inverse.data(), length, true, augmentations.data()};
  }
  std::vector<float> as_floats(std::size_t row) const {
    std::vector<float> out(vectors.dim());
    convert(vectors.view(row, 1), Element::f32, reinterpret_cast<std::byte*>(out.data()));
    return out;
  }
  std::vector<float> measured(const Scorer& scorer) const {
    std::vector<Row> all(vectors.count());
    std::iota(all.begin(), all.end(), Row{0});
    std::vector<float> out(all.size());
    scorer.measure(all.data(), all.size(), out.data());
    for (float& x : out) x += scorer.offset;
    return out;
  }

  Vectors vectors;
  std::vector<float> inverse, augmentations;
  MetricSpace space;
};

/// The error bound of a float sum of `dim` products of vectors of norms `a` and `b`.
double tolerance(std::size_t dim, double a, double b) {
  return static_cast<double>(dim + 16) * 0x1p-22 * (a * b + 1e-6);
}

double norm(const Vectors& vectors, std::size_t row) {
  return std::sqrt(precise_squared_norm(vectors.row(row), vectors.view().element, vectors.dim()));
}

TEST_CASE("distances from a query follow the metric") {
  for (const Metric metric : metrics)
    for (const Element element : elements)
      for (const std::size_t dim : {1, 2, 33, 1300}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(std::string(name_of(element)));
        CAPTURE(dim);
        const SpaceWithRows rows(clustered(40, dim, element, 1), metric);
        const bool is_integer = element == Element::u8 || element == Element::s8;
        for (const Element query_element : {Element::f32, element}) {
          if (query_element != Element::f32 && !is_integer) continue;
          const Vectors queries = clustered(5, dim, query_element, 2);
          for (std::size_t q = 0; q < 5; ++q) {
            const std::vector<float> found = rows.measured(rows.space.query_scorer(queries.row(q), query_element));
            for (std::size_t i = 0; i < 40; ++i) {
              const std::byte* const query = queries.row(q);
              const std::byte* const row = rows.vectors.row(i);
              const double truth =
                  query_element == Element::u8
                      ? precise_distance(metric, reinterpret_cast<const std::uint8_t*>(query), row, element, dim)
                  : query_element == Element::s8
                      ? precise_distance(metric, reinterpret_cast<const std::int8_t*>(query), row, element, dim)
                      : precise_distance(metric, reinterpret_cast<const float*>(query), row, element, dim);
              const double a = norm(queries, q), b = norm(rows.vectors, i);
              const double size = metric == Metric::cosine ? 1 : metric == Metric::l2 ? (a + b) : std::max(a, b);
              CHECK(std::abs(found[i] - truth) <= tolerance(dim, size, size));
            }
          }
        }
      }
}

TEST_CASE("distances from a row are squared distances of points") {
  for (const Metric metric : metrics)
    for (const Element element : elements)
      for (const std::size_t dim : {1, 2, 33, 1300}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(std::string(name_of(element)));
        CAPTURE(dim);
        const SpaceWithRows rows(clustered(40, dim, element, 1), metric);
        CHECK(rows.space.point_dim() == dim + (metric == Metric::ip));
        std::vector<std::vector<float>> points(40, std::vector<float>(rows.space.point_dim()));
        for (std::size_t i = 0; i < 40; ++i) rows.space.write_point(i, points[i].data());
        double longest = 1;
        for (std::size_t i = 0; i < 40; ++i)
          if (metric != Metric::cosine) longest = std::max(longest, norm(rows.vectors, i));
        for (Row row = 0; row < 40; row += 3) {
          ScorerScratch scratch;
          const std::vector<float> found = rows.measured(rows.space.row_scorer(row, scratch));
          const std::vector<float> query = rows.as_floats(row);
          for (std::size_t i = 0; i < 40; ++i) {
            double truth = precise_distance(metric, query.data(), rows.vectors.row(i), element, dim);
            if (metric == Metric::cosine) truth *= 2;
            CHECK(std::abs(found[i] - truth) <= tolerance(dim, 2 * longest, 2 * longest));
            if (metric == Metric::ip) {  // scorers return products, points are augmented
              const double augmentation_difference = double{rows.augmentations[row]} - rows.augmentations[i];
              truth = precise_distance(Metric::l2, query.data(), rows.vectors.row(i), element, dim) +
                      augmentation_difference * augmentation_difference;
            }
            const double between =
                precise_distance(Metric::l2, points[row].data(), reinterpret_cast<const std::byte*>(points[i].data()),
                                 Element::f32, rows.space.point_dim());
            CHECK(std::abs(between - truth) <= tolerance(dim, 2 * longest, 2 * longest));
          }
        }
      }
}

TEST_CASE("among augmented points, the L2 order is the order of inner products") {
  for (const Element element : elements) {
    const std::size_t dim = 33;
    const SpaceWithRows rows(clustered(200, dim, element, 3), Metric::ip);
    const std::vector<float> queries = testing::clustered_floats(5, dim, 4);
    for (std::size_t q = 0; q < 5; ++q) {
      const float* const query = queries.data() + q * dim;
      std::vector<float> at(dim + 1), point(dim + 1);
      double size = 0;
      for (std::size_t d = 0; d < dim; ++d) size += double{query[d]} * query[d];
      rows.space.write_query_point(query, size, at.data());
      const double length = rows.space.augmented_norm;
      for (std::size_t i = 0; i < 200; ++i) {
        rows.space.write_point(i, point.data());
        const double between = precise_distance(Metric::l2, at.data(), reinterpret_cast<const std::byte*>(point.data()),
                                                Element::f32, dim + 1);
        const double product = -precise_distance(Metric::ip, query, rows.vectors.row(i), element, dim);
        const double expected = 2 * length * length - 2 * product * length / std::sqrt(size);
        CHECK(between == doctest::Approx(expected).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("zero vectors are at cosine distance 1") {
  for (const Element element : elements) {
    const std::size_t dim = 20;
    std::vector<float> values = testing::clustered_floats(10, dim, 5);
    for (float& x : values) x = std::clamp(std::round(8 * x), 0.0f, 127.0f);
    std::fill_n(values.begin() + 3 * dim, dim, 0.0f);
    const SpaceWithRows rows({values, dim, element}, Metric::cosine);
    const std::vector<float> nowhere(dim), somewhere(dim, 0.5f);
    const auto from = [&](const std::vector<float>& query) {
      return rows.measured(rows.space.query_scorer(reinterpret_cast<const std::byte*>(query.data()), Element::f32));
    };
    for (const float x : from(nowhere)) CHECK(x == 1);
    CHECK(from(somewhere)[3] == 1);
    ScorerScratch scratch;
    for (const float x : rows.measured(rows.space.row_scorer(3, scratch))) CHECK(x == 2);
    CHECK(rows.measured(rows.space.row_scorer(4, scratch))[3] == 2);
    std::vector<float> point(dim, 1);
    rows.space.write_point(3, point.data());
    CHECK(point == nowhere);
    rows.space.write_query_point(nowhere.data(), 0, point.data());
    CHECK(point == nowhere);
  }
}

TEST_CASE("Hamming distances count differing bits") {
  for (const std::size_t bytes : {1, 7, 64, 100}) {
    const SpaceWithRows rows(clustered(30, bytes, Element::bits, 6), Metric::hamming);
    for (Row row = 0; row < 30; ++row) {
      ScorerScratch scratch;
      const std::vector<float> row_scorer = rows.measured(rows.space.row_scorer(row, scratch));
      CHECK(row_scorer == rows.measured(rows.space.query_scorer(rows.vectors.row(row), Element::bits)));
      for (std::size_t i = 0; i < 30; ++i)
        CHECK(row_scorer[i] == precise_distance(Metric::hamming,
                                                reinterpret_cast<const std::uint8_t*>(rows.vectors.row(row)),
                                                rows.vectors.row(i), Element::bits, bytes));
    }
  }
}

TEST_CASE("squares of bytes do not overflow in vectors of the largest dimension") {
  for (const Element element : {Element::u8, Element::s8}) {
    const std::size_t dim = 65536;
    const float low = element == Element::u8 ? 0 : -128, high = low + 255;
    std::vector<float> values(2 * dim, low);
    std::fill_n(values.begin() + dim, dim, high);
    const SpaceWithRows rows({values, dim, element}, Metric::l2);
    ScorerScratch scratch;
    CHECK(rows.measured(rows.space.row_scorer(0, scratch))[1] == doctest::Approx(65025.0 * dim).epsilon(1e-4));
    CHECK(rows.measured(rows.space.row_scorer(1, scratch))[1] == 0);
  }
}

}  // namespace
}  // namespace lookalike
