// Building and repairing graphs: valid, connected, and independent of the number of threads.
#include "graph/builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "clusters.hpp"
#include "distance/metric_space.hpp"
#include "graph/reach.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::Vectors;

constexpr std::size_t dim = 12, degree = 16;
constexpr BuildSettings settings{40};

/// Vectors, a metric over them and a graph.
struct Built {
  explicit Built(Vectors rows) : vectors(std::move(rows)), graph(degree) {
    graph.grow(vectors.count()).commit();
    entries = {0, 1, 2, 3};
  }
  NodeMetric node_metric() const { return {from}; }
  /// Links in batches of doubling size, as an index does.
  void link_all(unsigned threads) {
    for (std::size_t at = 0; at < vectors.count();) {
      const std::size_t size = std::min({std::max<std::size_t>(at, 1), std::size_t{300}, vectors.count() - at});
      std::vector<Row> batch(size);
      std::iota(batch.begin(), batch.end(), static_cast<Row>(at));
      apply(Builder(node_metric(), graph, settings, threads)
                .link(batch, std::span<const Row>(entries).first(std::clamp<std::size_t>(at, 1, 4))));
      at += size;
    }
  }
  void apply(const EdgeUpdates& rewiring) { rewiring.apply(0, rewiring.size(), graph); }

  Vectors vectors;
  Adjacency graph;
  std::vector<Row> entries;
  std::function<Scorer(Row, ScorerScratch&)> from = [this](Row row, ScorerScratch& scratch) {
    return MetricSpace{vectors.view()}.row_scorer(row, scratch);
  };
};

/// Whether every edge leads to another existing node and no edge repeats.
bool is_valid(const Adjacency& graph) {
  for (Row node = 0; node < graph.nodes(); ++node) {
    const std::span<const Row> neighbors = graph.neighbors(node);
    std::vector<Row> sorted(neighbors.begin(), neighbors.end());
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return false;
    for (const Row neighbor : sorted)
      if (neighbor == node || neighbor >= graph.nodes()) return false;
    for (std::size_t i = neighbors.size(); i < graph.degree(); ++i)
      if (graph.slots(node)[i] != node) return false;
  }
  return true;
}

std::vector<Row> edges_of(const Adjacency& graph) {
  return {graph.slots(0), graph.slots(0) + graph.nodes() * graph.degree()};
}

std::size_t in_degree(const Adjacency& graph, Row of) {
  std::size_t count = 0;
  for (Row node = 0; node < graph.nodes(); ++node)
    for (const Row neighbor : graph.neighbors(node)) count += neighbor == of;
  return count;
}

TEST_CASE("linked rows form a valid graph that does not depend on the number of threads") {
  Built one(clustered(2000, dim, Element::f32, 1));
  one.link_all(1);
  CHECK(is_valid(one.graph));
  CHECK(unreachable_nodes(one.graph, one.entries).size() <= 2);
  for (const unsigned threads : {2u, 4u}) {
    Built other(clustered(2000, dim, Element::f32, 1));
    other.link_all(threads);
    CHECK(edges_of(other.graph) == edges_of(one.graph));
  }
  // Beam search finds the nearest neighbour of nearly every row.
  BeamSearch walk;
  std::size_t found = 0;
  for (Row row = 0; row < 2000; ++row) {
    ScorerScratch scratch;
    const Scorer scorer = one.from(row, scratch);
    std::vector<Row> all(2000);
    std::iota(all.begin(), all.end(), Row{0});
    std::vector<float> distances(2000);
    scorer.measure(all.data(), all.size(), distances.data());
    distances[row] = 1e30f;
    const auto nearest = static_cast<Row>(std::min_element(distances.begin(), distances.end()) - distances.begin());
    const std::span<const Neighbor> near = walk.search(scorer, one.graph, one.entries, 20);
    found += near[0].row == row && near[1].row == nearest;
  }
  CHECK(found >= 1980);
}

TEST_CASE("relinking keeps the graph valid and every node reachable") {
  Built built(clustered(800, dim, Element::f32, 2));
  built.link_all(2);
  const std::vector<Row> again = {5, 700, 6, 90};
  built.apply(Builder(built.node_metric(), built.graph, settings, 2).link(again, built.entries));
  CHECK(is_valid(built.graph));
  for (const Row row : again) CHECK(in_degree(built.graph, row) > 0);
}

TEST_CASE("duplicate rows are linked to one another and to the unreachable") {
  std::vector<float> values = testing::clustered_floats(600, dim, 3);
  for (std::size_t i = 100; i < 500; ++i) std::copy_n(values.begin(), dim, values.begin() + i * dim);
  Built built({values, dim, Element::f32});
  built.link_all(2);
  CHECK(is_valid(built.graph));
  for (Row row = 0; row < 600; ++row) CHECK(!built.graph.neighbors(row).empty());
  Built same({values, dim, Element::f32});
  same.link_all(1);
  CHECK(edges_of(same.graph) == edges_of(built.graph));
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::vector<Row> unreachable = unreachable_nodes(built.graph, built.entries);
    built.apply(Builder(built.node_metric(), built.graph, settings, 2).attach(unreachable, built.entries));
    CHECK(is_valid(built.graph));
  }
  CHECK(unreachable_nodes(built.graph, built.entries).empty());
}

TEST_CASE("edges to removed nodes are replaced by edges to their neighbours") {
  for (const unsigned threads : {1u, 2u, 4u}) {
    Built built(clustered(1000, dim, Element::f32, 4));
    built.link_all(2);
    const auto is_gone = [](Row row) { return row % 3 == 2; };
    std::vector<Row> kept_rows;
    for (Row row = 0; row < 1000; ++row)
      if (!is_gone(row)) kept_rows.push_back(row);
    built.apply(Builder(built.node_metric(), built.graph, settings, threads).consolidate_deletes(kept_rows, is_gone));
    CHECK(is_valid(built.graph));
    std::size_t edges_to_removed = 0;
    for (const Row row : kept_rows)
      for (const Row neighbor : built.graph.neighbors(row)) edges_to_removed += is_gone(neighbor);
    CHECK(edges_to_removed == 0);
    std::vector<Row> unreachable = unreachable_nodes(built.graph, {{0, 1, 3, 4}});
    std::erase_if(unreachable, is_gone);
    CHECK(unreachable.size() <= 5);
  }
}

TEST_CASE("a node without incoming edges is attached to a reachable node") {
  Built built(clustered(500, dim, Element::f32, 5));
  std::vector<Row> first(499);
  std::iota(first.begin(), first.end(), Row{0});
  built.apply(Builder(built.node_metric(), built.graph, settings, 2).link({first.data(), 1}, built.entries));
  for (Row row = 1; row < 499; ++row)
    built.apply(Builder(built.node_metric(), built.graph, settings, 1).link({&row, 1}, {built.entries.data(), 1}));
  const Row lost[] = {499};
  CHECK(in_degree(built.graph, 499) == 0);
  built.apply(Builder(built.node_metric(), built.graph, settings, 2).attach(lost, {built.entries.data(), 1}));
  CHECK(is_valid(built.graph));
  CHECK(in_degree(built.graph, 499) == 1);
  CHECK(unreachable_nodes(built.graph, {built.entries.data(), 1}).empty());
  // Without a reachable node it cannot be attached.
  const EdgeUpdates none = Builder(built.node_metric(), built.graph, settings, 1).attach(lost, {});
  CHECK(none.size() == 0);
}

TEST_CASE("graphs of no rows and of one row have no edges") {
  Built built(clustered(1, dim, Element::f32, 6));
  built.link_all(2);
  CHECK(built.graph.neighbors(0).empty());
  CHECK(Builder(built.node_metric(), built.graph, settings, 2).link({}, {}).size() == 0);
}

}  // namespace
}  // namespace lookalike
