// Beam search on small graphs with known results.
#include "graph/beam_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "clusters.hpp"
#include "distance/metric_space.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::Vectors;

constexpr std::size_t dim = 8;

Adjacency graph_of(std::size_t nodes, std::size_t degree) {
  Adjacency graph(degree);
  graph.grow(nodes).commit();
  return graph;
}

/// Every node is a neighbour of every other node.
Adjacency complete(std::size_t nodes) {
  Adjacency graph = graph_of(nodes, nodes - 1);
  for (Row node = 0; node < nodes; ++node) {
    std::vector<Row> others(nodes);
    std::iota(others.begin(), others.end(), Row{0});
    others.erase(others.begin() + node);
    graph.assign(node, others);
  }
  return graph;
}

/// Node i lies at coordinate i and has edges to the `reach` nodes before and behind it.
struct Line {
  Line(std::size_t nodes, std::size_t reach) : graph(graph_of(nodes, 2 * reach)) {
    std::vector<float> values(nodes);
    std::iota(values.begin(), values.end(), 0.0f);
    vectors = {values, 1, Element::f32};
    for (std::size_t node = 0; node < nodes; ++node) {
      std::vector<Row> near;
      for (std::size_t other = node - std::min(node, reach); other <= std::min(node + reach, nodes - 1); ++other)
        if (other != node) near.push_back(static_cast<Row>(other));
      graph.assign(static_cast<Row>(node), near);
    }
  }
  Scorer from(const float& place) const {
    return MetricSpace{vectors.view()}.query_scorer(reinterpret_cast<const std::byte*>(&place), Element::f32);
  }
  Vectors vectors;
  Adjacency graph;
};

std::vector<Row> rows_of(std::span<const Neighbor> found) {
  std::vector<Row> rows;
  for (const Neighbor& neighbor : found) rows.push_back(neighbor.row);
  return rows;
}

bool is_sorted_and_distinct(std::span<const Neighbor> found) {
  std::vector<Row> rows = rows_of(found);
  std::sort(rows.begin(), rows.end());
  return std::adjacent_find(rows.begin(), rows.end()) == rows.end() &&
         std::is_sorted(found.begin(), found.end(), [](const Neighbor& a, const Neighbor& b) {
           return std::tie(a.distance, a.row) < std::tie(b.distance, b.row);
         });
}

TEST_CASE("on a complete graph the result is exact") {
  const std::size_t nodes = 300;
  const Vectors vectors = clustered(nodes, dim, Element::f32, 1), queries = clustered(20, dim, Element::f32, 2);
  const Adjacency graph = complete(nodes);
  const MetricSpace space{vectors.view()};
  BeamSearch walk;
  std::vector<Row> all(nodes);
  std::iota(all.begin(), all.end(), Row{0});
  for (const std::size_t width : {1, 2, 7, 64, 299, 300, 1000})
    for (std::size_t q = 0; q < 20; ++q) {
      CAPTURE(width);
      const Scorer scorer = space.query_scorer(queries.row(q), Element::f32);
      std::vector<float> distances(nodes);
      scorer.measure(all.data(), nodes, distances.data());
      std::vector<Row> expected = all;
      std::sort(expected.begin(), expected.end(),
                [&](Row a, Row b) { return std::tie(distances[a], a) < std::tie(distances[b], b); });
      expected.resize(std::min(width, nodes));
      const Row entries[] = {static_cast<Row>(11 * q), static_cast<Row>(299 - q)};
      const std::span<const Neighbor> found = walk.search(scorer, graph, entries, width);
      CHECK(rows_of(found) == expected);
      CHECK(is_sorted_and_distinct(found));
      for (const Neighbor& neighbor : found) CHECK(neighbor.distance == distances[neighbor.row]);
    }
}

TEST_CASE("a search crosses the whole graph and leaves no state for the next one") {
  const Line line(5000, 3);
  BeamSearch walk;
  const Row entry[] = {17};
  for (int repeat = 0; repeat < 3; ++repeat)
    for (const float place : {4321.25f, 0.25f, 4998.75f}) {
      const Row nearest = static_cast<Row>(place + 0.5f);
      CHECK(rows_of(walk.search(line.from(place), line.graph, entry, 1)) == std::vector<Row>{nearest});
      const std::vector<Row> found = rows_of(walk.search(line.from(place), line.graph, entry, 40));
      CHECK(found.size() == 40);
      CHECK(found[0] == nearest);
      CHECK(*std::max_element(found.begin(), found.end()) - *std::min_element(found.begin(), found.end()) == 39);
    }
  // A larger graph, then the small one: visited nodes of one search do not affect the next.
  const Line longer(9000, 2);
  const float place = 8999;
  CHECK(rows_of(walk.search(longer.from(place), longer.graph, entry, 3)) == std::vector<Row>{8999, 8998, 8997});
  const float back = 2;
  CHECK(rows_of(walk.search(line.from(back), line.graph, entry, 3)) == std::vector<Row>{2, 1, 3});
}

TEST_CASE("a hidden row is neither returned nor expanded") {
  const Line line(100, 1);  // a chain: a hidden node cuts it
  BeamSearch walk;
  const Row entry[] = {10};
  const float place = 60;
  CHECK(rows_of(walk.search(line.from(place), line.graph, entry, 1, 60)) == std::vector<Row>{59});
  CHECK(rows_of(walk.search(line.from(place), line.graph, entry, 4, 40)) == std::vector<Row>{39, 38, 37, 36});
  CHECK(walk.search(line.from(place), line.graph, entry, 4, 10).empty());
  CHECK(rows_of(walk.search(line.from(place), line.graph, entry, 1)) == std::vector<Row>{60});
}

TEST_CASE("entry points may repeat, be hidden, or have no edges") {
  const Line line(200, 2);
  BeamSearch walk;
  const float place = 150;
  const Row repeated[] = {3, 3, 90, 3, 90}, none[] = {120, 120};
  const std::span<const Neighbor> found = walk.search(line.from(place), line.graph, repeated, 5);
  CHECK(rows_of(found) == std::vector<Row>{150, 149, 151, 148, 152});
  CHECK(is_sorted_and_distinct(found));
  CHECK(walk.search(line.from(place), line.graph, none, 5, 120).empty());
  CHECK(walk.search(line.from(place), line.graph, {}, 5).empty());

  const Adjacency lonely = graph_of(200, 4);
  CHECK(rows_of(walk.search(line.from(place), lonely, repeated, 5)) == std::vector<Row>{90});
  Adjacency one_way = graph_of(200, 4);
  const Row next[] = {151};
  one_way.assign(90, next);
  CHECK(rows_of(walk.search(line.from(place), one_way, repeated, 5)) == std::vector<Row>{151, 90});
}

TEST_CASE("ties keep the newest rows, sorted by row") {
  const Vectors vectors(std::vector<float>(400, 1.0f), 1, Element::f32);
  Adjacency graph = complete(400);
  const float place = 3;
  const Scorer scorer =
      MetricSpace{vectors.view()}.query_scorer(reinterpret_cast<const std::byte*>(&place), Element::f32);
  BeamSearch walk;
  const Row entry[] = {0};
  std::vector<Row> last(50);
  std::iota(last.begin(), last.end(), Row{350});
  CHECK(rows_of(walk.search(scorer, graph, entry, 50)) == last);
}

TEST_CASE("a search counts its hops and distance computations") {
  const Line line(1000, 1);
  BeamSearch walk;
  const Row entry[] = {0};
  const float place = 999;
  walk.search(line.from(place), line.graph, entry, 2);
  CHECK(walk.counters.distances == 1000);
  CHECK(walk.counters.hops >= 999);
  CHECK(walk.counters.hops <= 1000);
}

}  // namespace
}  // namespace lookalike
