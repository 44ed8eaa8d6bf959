// RecallEvaluator against the recall of actual searches.
#include "index/approx/recall_evaluator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/hnsw/hnsw.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::id_range;
using testing::Vectors;
using testing::view_of;

double share(const RecallEvaluator::Hits& hits) {
  return static_cast<double>(hits.found) / static_cast<double>(hits.total);
}

TEST_CASE("evaluated recall matches the recall of searches") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    CAPTURE(std::string(name_of(metric)));
    const Vectors vectors = clustered(1500, 80, Element::f32, 1), queries = clustered(50, 80, Element::f32, 2);
    Hnsw index(0, metric, {});
    Flat exact(0, metric, Storage::automatic);
    index.add(vectors.view(), 2);
    exact.add(vectors.view(), 2);
    const RecallEvaluator evaluator(index.evaluated(), queries.view(), 10, 2);
    CHECK(evaluator.count() == 50);
    const testing::Found truth = testing::search(exact, queries.view(), 10);
    for (const std::size_t ef : {10, 30}) {
      const double seen = testing::recall(testing::search(index, queries.view(), 10, ef), truth);
      CHECK(share(evaluator.recall(ef, 2)) == doctest::Approx(seen).epsilon(0.002));
    }
    CHECK(evaluator.recall(10, 1).found == evaluator.recall(10, 3).found);
    CHECK(share(evaluator.recall(400, 2)) >= 0.995);
    CHECK(share(evaluator.recall(~std::size_t{0} / 2, 2)) == 1);
    CHECK(evaluator.recall(10, 1).total == 500);
  }
}

TEST_CASE("a stored query vector does not count as its own neighbour") {
  const Vectors vectors = clustered(2000, 24, Element::f32, 1), unseen = clustered(200, 24, Element::f32, 2);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(), 2);
  const RecallEvaluator stored_queries(index.evaluated(), 200, 10, 1, 2),
      other(index.evaluated(), unseen.view(), 10, 2);
  CHECK(stored_queries.count() == 200);
  for (const std::size_t ef : {10, 20, 60})
    CHECK(std::abs(share(stored_queries.recall(ef, 2)) - share(other.recall(ef, 2))) < 0.03);
}

TEST_CASE("duplicate rows count as equivalent hits") {
  std::vector<float> values = testing::clustered_floats(1200, 24, 1);
  for (std::size_t i = 1; i < 800; ++i) std::copy_n(values.begin(), 24, values.begin() + i * 24);
  Hnsw index(0, Metric::l2, {});
  index.add(Vectors(values, 24, Element::f32).view(), 2);
  const RecallEvaluator evaluator(index.evaluated(), 200, 10, 1, 2);
  CHECK(share(evaluator.recall(60, 2)) >= 0.98);
}

TEST_CASE("an evaluator of few rows is correct, and one of an older index state is rejected") {
  Hnsw index(0, Metric::l2, {});
  const Vectors vectors = clustered(700, 8, Element::f32, 1);
  CHECK(RecallEvaluator(index.evaluated(), 50, 10, 1, 1).recall(10, 1).total == 0);
  CHECK(RecallEvaluator(index.evaluated(), vectors.view(0, 5), 10, 1).recall(10, 1).total == 0);
  index.add(vectors.view(0, 1), 1);
  CHECK(RecallEvaluator(index.evaluated(), 50, 10, 1, 1).recall(10, 1).total == 0);
  index.add(vectors.view(1, 4), 1);
  const RecallEvaluator five(index.evaluated(), 50, 10, 1, 1);
  CHECK(five.count() == 5);
  CHECK(five.recall(10, 1).total == 5 * 4);
  CHECK(share(five.recall(10, 1)) == 1);
  index.remove(view_of(id_range(0, 1)));
  CHECK_THROWS_AS(five.recall(10, 1), InvalidArgument);
  index.add(vectors.view(5, 695), 2);
  CHECK(share(RecallEvaluator(index.evaluated(), 100, 1000, 1, 2).recall(0, 2)) == 1);
  CHECK(RecallEvaluator(index.evaluated(), vectors.view(0, 0), 10, 1).recall(10, 1).total == 0);
  CHECK_THROWS_AS(RecallEvaluator(index.evaluated(), 5, 0, 1, 1), InvalidArgument);
  CHECK_THROWS_AS(RecallEvaluator(index.evaluated(), clustered(1, 9, Element::f32, 1).view(), 1, 1), DimensionMismatch);
}

}  // namespace
}  // namespace lookalike
