#include "cluster/kmeans.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "base/errors.hpp"
#include "base/random.hpp"
#include "cluster/members.hpp"
#include "cluster/nearest_centroid.hpp"
#include "cluster/running_means.hpp"
#include "cluster/seeding.hpp"

using namespace lookalike;

namespace {

/// Clustered points with `rank` intrinsic dimensions and a little noise.
std::vector<float> points_of(std::size_t count, std::size_t dim, std::size_t rank, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> directions(rank * dim), points(count * dim);
  for (float& x : directions) x = static_cast<float>(random.normal());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t r = 0; r < rank; ++r) {
      const auto along = static_cast<float>(random.normal() * 3 / static_cast<double>(1 + r));
      for (std::size_t d = 0; d < dim; ++d) points[i * dim + d] += along * directions[r * dim + d];
    }
    for (std::size_t d = 0; d < dim; ++d) points[i * dim + d] += static_cast<float>(random.normal() * 0.1);
  }
  return points;
}

double square(const float* a, const float* b, std::size_t dim) {
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double difference = static_cast<double>(a[d]) - b[d];
    sum += difference * difference;
  }
  return sum;
}

/// Exhaustive search in double precision. Ties keep the first centroid.
void check_nearest(const std::vector<float>& points, const std::vector<float>& centroids, std::size_t dim,
                   const std::vector<std::uint32_t>& labels) {
  const std::size_t count = points.size() / dim, clusters = centroids.size() / dim;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < clusters; ++c)
      nearest = std::min(nearest, square(points.data() + i * dim, centroids.data() + c * dim, dim));
    const double found = square(points.data() + i * dim, centroids.data() + labels[i] * dim, dim);
    wrong += !(labels[i] < clusters && found <= nearest * (1 + 1e-13));
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("the nearest centroid is found exactly" * doctest::test_suite("kernels")) {
  struct Shape {
    std::size_t count, dim, rank, clusters;
  };
  for (const Shape& shape :
       {Shape{1000, 1, 1, 7}, Shape{777, 2, 2, 100}, Shape{1500, 17, 9, 33}, Shape{1500, 96, 12, 150},
        Shape{1000, 200, 30, 250}, Shape{900, 300, 290, 64}, Shape{50, 40, 3, 50}, Shape{100, 65, 9, 1}}) {
    const std::size_t count = shape.count, dim = shape.dim, rank = shape.rank, clusters = shape.clusters;
    CAPTURE(dim);
    const std::vector<float> points = points_of(count, dim, rank, 1);
    const std::vector<float> centroids(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(clusters * dim));
    std::vector<std::uint32_t> labels(count), again(count);
    std::vector<float> squares(count);
    const NearestCentroid nearest(centroids, dim, 2);
    nearest.assign(points, 2, labels, squares);
    check_nearest(points, centroids, dim, labels);
    for (std::size_t i = 0; i < count; ++i) {
      const double exact = square(points.data() + i * dim, centroids.data() + labels[i] * dim, dim);
      CHECK(squares[i] == doctest::Approx(exact).epsilon(1e-5));
    }
    for (std::size_t c = 0; c < clusters; ++c) CHECK(labels[c] == c);
    nearest.assign(points, 1, again, {});
    CHECK(again == labels);
  }
}

TEST_CASE("ties keep the first centroid") {
  const std::size_t dim = 64;
  const std::vector<float> points = points_of(600, dim, 10, 2);
  std::vector<float> centroids(points.begin(), points.begin() + 200 * dim);
  centroids.insert(centroids.end(), centroids.begin(), centroids.begin() + 200 * dim);
  std::vector<std::uint32_t> labels(600);
  NearestCentroid(centroids, dim, 2).assign(points, 2, labels, {});
  CHECK(*std::max_element(labels.begin(), labels.end()) < 200);
  check_nearest(points, centroids, dim, labels);
}

TEST_CASE("far from the origin, huge, tiny and isolated values are assigned exactly" * doctest::test_suite("kernels")) {
  const std::size_t dim = 32;
  const std::vector<float> base_points = points_of(800, dim, 8, 3);
  for (const float scale : {1.0f, 1e-25f, 1e-19f, 1e17f, 1e19f, 1e30f})
    for (const float offset : {0.0f, 1e4f}) {
      CAPTURE(scale);
      CAPTURE(offset);
      std::vector<float> points = base_points;
      for (float& x : points) x = (x + offset) * scale;
      points[5 * dim + 3] = 1e33f;
      const std::vector<float> centroids(points.begin(), points.begin() + 90 * dim);
      std::vector<std::uint32_t> labels(800);
      NearestCentroid(centroids, dim, 2).assign(points, 2, labels, {});
      check_nearest(points, centroids, dim, labels);
    }
}

TEST_CASE("centroids are means, labels are nearest centroids, and the objective is their distance") {
  const std::size_t dim = 48, count = 2000, clusters = 60;
  const std::vector<float> points = points_of(count, dim, 8, 4);
  for (const Seeding seeding : {Seeding::random, Seeding::plus_plus}) {
    const Clustering clustering = kmeans(
        points, dim, {.clusters = clusters, .iterations = 300, .tolerance = 0, .seed = 3, .seeding = seeding}, 2);
    CHECK(clustering.iterations < 300);
    check_nearest(points, clustering.centroids, dim, clustering.labels);
    std::vector<float> means = clustering.centroids;
    move_to_means(points, dim, Members(clustering.labels, clusters), 2, means);
    CHECK(means == clustering.centroids);  // converged
    double objective = 0;
    for (std::size_t i = 0; i < count; ++i)
      objective += square(points.data() + i * dim, clustering.centroids.data() + clustering.labels[i] * dim, dim);
    CHECK(clustering.objective == doctest::Approx(objective).epsilon(1e-12));
  }
}

TEST_CASE("the result does not depend on the number of threads") {
  const std::size_t dim = 70;
  const std::vector<float> points = points_of(2500, dim, 20, 5);
  for (const Seeding seeding : {Seeding::random, Seeding::plus_plus}) {
    const KMeansSettings settings{.clusters = 80, .iterations = 5, .tolerance = 0, .seed = 9, .seeding = seeding};
    const Clustering clustering = kmeans(points, dim, settings, 1);
    for (const unsigned threads : {2u, 3u, 8u}) {
      const Clustering repeated = kmeans(points, dim, settings, threads);
      CHECK(repeated.centroids == clustering.centroids);
      CHECK(repeated.labels == clustering.labels);
      CHECK(repeated.objective == clustering.objective);
    }
    KMeansSettings reseeded = settings;
    reseeded.seed = 10;
    CHECK(kmeans(points, dim, reseeded, 2).centroids != clustering.centroids);
  }
}

TEST_CASE("more iterations never increase the objective") {
  const std::vector<float> points = points_of(3000, 20, 6, 6);
  double before = std::numeric_limits<double>::infinity();
  for (std::size_t iterations = 0; iterations < 12; ++iterations) {
    const Clustering now = kmeans(points, 20, {.clusters = 40, .iterations = iterations, .tolerance = 0, .seed = 1}, 2);
    CHECK(now.objective <= before);
    before = now.objective;
  }
}

TEST_CASE("no cluster is empty with enough distinct points, and fewer distinct points are supported") {
  std::vector<float> points(1000 * 8, 1.0f);
  for (std::size_t i = 0; i < 1000; ++i) points[i * 8] = static_cast<float>(i % 20);  // 20 distinct points
  for (const Seeding seeding : {Seeding::random, Seeding::plus_plus}) {
    const Clustering exact =
        kmeans(points, 8, {.clusters = 20, .iterations = 50, .tolerance = 0, .seeding = seeding}, 2);
    CHECK(std::set<std::uint32_t>(exact.labels.begin(), exact.labels.end()).size() == 20);
    CHECK(exact.objective == 0);
    const Clustering more =
        kmeans(points, 8, {.clusters = 30, .iterations = 50, .tolerance = 0, .seeding = seeding}, 2);
    CHECK(std::set<std::uint32_t>(more.labels.begin(), more.labels.end()).size() == 20);
    CHECK(more.objective == 0);
  }
  const std::vector<float> same(64 * 5, 3.5f);
  const Clustering flat = kmeans(same, 5, {.clusters = 10}, 2);
  CHECK(flat.objective == 0);
  CHECK(flat.centroids == std::vector<float>(50, 3.5f));
  const Clustering clustering = kmeans(std::span(points).first(8), 8, {.clusters = 1}, 2);
  CHECK(clustering.centroids == std::vector<float>(points.begin(), points.begin() + 8));
}

TEST_CASE("balanced clusters respect the limit and cost little more") {
  const std::size_t dim = 16, count = 2000, clusters = 25;
  const std::vector<float> points = points_of(count, dim, 5, 11);
  KMeansSettings settings{.clusters = clusters, .iterations = 20, .seed = 1};
  const Clustering free = kmeans(points, dim, settings, 2);
  for (const double imbalance : {1.0, 1.01, 1.5, 3.0}) {
    CAPTURE(imbalance);
    settings.max_imbalance = imbalance;
    const Clustering even = kmeans(points, dim, settings, 2);
    std::vector<std::size_t> lengths(clusters, 0);
    for (const std::uint32_t label : even.labels) ++lengths[label];
    CHECK(*std::max_element(lengths.begin(), lengths.end()) <= std::max(80.0, imbalance * 80));
    CHECK(even.objective < free.objective * (imbalance < 1.5 ? 1.5 : 1.1));
    const Clustering again = kmeans(points, dim, settings, 1);
    CHECK(again.labels == even.labels);
    CHECK(again.centroids == even.centroids);
  }
  const std::vector<float> same(101 * 3, 1.0f);
  const Clustering flat = kmeans(same, 3, {.clusters = 10, .max_imbalance = 1}, 2);
  std::vector<std::size_t> lengths(10, 0);
  for (const std::uint32_t label : flat.labels) ++lengths[label];
  CHECK(*std::max_element(lengths.begin(), lengths.end()) == 11);
}

TEST_CASE("given centroids are the initial ones") {
  const std::vector<float> points = points_of(300, 6, 3, 8);
  const std::vector<float> initial(points.begin() + 60, points.begin() + 120);
  const Clustering none = kmeans(points, 6, {.clusters = 10, .iterations = 0}, 2, initial);
  CHECK(none.centroids == initial);
  CHECK(none.iterations == 0);
  check_nearest(points, initial, 6, none.labels);
}

TEST_CASE("invalid settings are rejected") {
  const std::vector<float> points(10, 0.0f);
  CHECK_THROWS_AS(kmeans(points, 2, {.clusters = 6}, 1), InvalidArgument);
  CHECK_THROWS_AS(kmeans(points, 2, {.clusters = 0}, 1), InvalidArgument);
  CHECK_THROWS_AS(kmeans(points, 2, {.clusters = 2, .max_imbalance = 0.5}, 1), InvalidArgument);
  CHECK_THROWS_AS(kmeans(points, 2, {.clusters = 2, .tolerance = -1}, 1), InvalidArgument);
  CHECK_THROWS_AS(kmeans(points, 2, {.clusters = 2}, 1, std::span(points).first(2)), InvalidArgument);
}

TEST_CASE("running means are bit-identical to means") {
  const std::size_t dim = 9, count = 3000, clusters = 25;
  std::vector<float> base_points = points_of(count, dim, 4, 12);
  for (std::size_t i = 0; i < base_points.size(); i += 7) base_points[i] *= 1e-5f;
  std::vector<float> whole = base_points, halves = base_points, wide = base_points, tiny = base_points;
  for (std::size_t i = 0; i < base_points.size(); ++i) {
    whole[i] = std::round(base_points[i] * 50);
    halves[i] = std::round(base_points[i] * 1024) / 1024;
    wide[i] = i % 777 ? base_points[i] : 1e20f;
    tiny[i] = std::round(base_points[i] * 50) * 1e-44f;
  }
  for (const std::vector<float>* points :
       std::initializer_list<const std::vector<float>*>{&whole, &halves, &base_points, &wide, &tiny}) {
    CHECK(has_exact_sums(*points, dim, 2) == (points != &base_points && points != &wide));
    RunningMeans running(*points, dim, clusters, 2);
    std::vector<std::uint32_t> labels(count);
    std::vector<float> found(clusters * dim, 7), expected = found;
    Random random(1);
    for (int round = 0; round < 5; ++round) {
      for (std::uint32_t& label : labels)
        if (round == 0 || random.uniform() < 0.1)
          label = static_cast<std::uint32_t>(random.uniform() * static_cast<double>(clusters - 1));
      running.update(labels, found);
      move_to_means(*points, dim, Members(labels, clusters), 2, expected);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("random rows are distinct and uniform") {
  std::vector<int> counts(20, 0);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const std::vector<Row> rows = random_rows(20, 5, seed);
    CHECK(std::set<Row>(rows.begin(), rows.end()).size() == 5);
    for (const Row row : rows) ++counts[row];
  }
  for (const int count : counts) CHECK(std::abs(count - 1000) < 150);
  std::vector<Row> all = random_rows(100, 100, 7);
  std::sort(all.begin(), all.end());
  std::vector<Row> expected(100);
  std::iota(expected.begin(), expected.end(), Row{0});
  CHECK(all == expected);
}
