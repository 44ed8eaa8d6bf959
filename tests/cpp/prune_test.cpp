// The neighbours that pruning selects, and their order.
#include "graph/prune.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "distance/metric_space.hpp"

namespace lookalike {
namespace {

/// A node at the origin and its candidates, nearest first.
struct Candidates {
  std::vector<float> points = {0, 0};
  std::vector<Neighbor> candidates;
  std::function<Scorer(Row, ScorerScratch&)> from = [this](Row row, ScorerScratch& scratch) {
    const VectorsView rows = {reinterpret_cast<const std::byte*>(points.data()), Element::f32, points.size() / 2, 2, 8};
    return MetricSpace{rows}.row_scorer(row, scratch);
  };

  void put(float x, float y) {
    points.insert(points.end(), {x, y});
    candidates.push_back({static_cast<Row>(candidates.size() + 1), x * x + y * y});
  }
  std::vector<Row> pruned(float tolerance, std::size_t degree) {
    Pruner pruner;
    const auto kept = pruner.prune({from, tolerance}, candidates, 0, degree);
    return {kept.begin(), kept.end()};
  }
};

TEST_CASE("free slots go to candidates pruned within the tolerance alpha, after all others") {
  Candidates node;
  node.put(1, 0);       // row 1
  node.put(.52f, 1);    // row 2: nearer to row 1, by 3 %
  node.put(1.5f, .5f);  // row 3: nearer to row 1 by far
  node.put(-2, 0);      // row 4: on the other side
  CHECK(node.pruned(1, 3) == std::vector<Row>{1, 4});
  CHECK(node.pruned(1.1f, 3) == std::vector<Row>{1, 4, 2});
  CHECK(node.pruned(1.1f, 2) == std::vector<Row>{1, 4});
}

TEST_CASE("candidates admitted by the tolerance prune one another") {
  Candidates node;
  node.put(1, 0);
  node.put(.52f, 1);
  node.put(.53f, 1.01f);  // beside row 2
  node.put(-2, 0);
  CHECK(node.pruned(1.1f, 4) == std::vector<Row>{1, 4, 2});
}

TEST_CASE("if few candidates remain, the nearest pruned ones fill a quarter of the slots") {
  Candidates node;
  for (const float x : {1.0f, 1.1f, 1.2f, 1.3f, 1.4f, 1.5f}) node.put(x, 0);
  CHECK(node.pruned(1, 12) == std::vector<Row>{1, 2, 3});
}

}  // namespace
}  // namespace lookalike
