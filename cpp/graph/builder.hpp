// Links nodes into a graph.
//
// A batch of nodes is searched for on the graph as it stands, by all threads, and among its own nodes, which no walk
// comes to yet; then the edges that point back are grouped by the node they start from, so that each row has one
// writer. Nothing depends on the number of threads [Manohar et al. 2024].
#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "graph/adjacency.hpp"
#include "graph/beam_search.hpp"
#include "graph/edge_updates.hpp"
#include "graph/node_metric.hpp"
#include "graph/prune.hpp"

namespace lookalike {

struct BuildSettings {
  std::size_t width = 200;  // of the searches that find candidates
};

/// Reads a graph and says how it should change; putting that in place is for the caller.
class Builder {
 public:
  /// Borrows the metric's function and the graph. threads = 0: all that are available.
  Builder(const NodeMetric& metric, const Adjacency& graph, const BuildSettings& settings, unsigned threads);

  /// Finds neighbours of `nodes`, none of them twice, from `entries`, and links them back. Nodes that have neighbours
  /// keep them as candidates.
  EdgeUpdates link(std::span<const Row> nodes, std::span<const Row> entries);
  /// Takes every neighbour that `is_gone` out of `nodes`; the neighbours of those that go are candidates in their
  /// place.
  EdgeUpdates consolidate_deletes(std::span<const Row> nodes, function_ref<bool(Row)> is_gone);
  /// Hangs each of `nodes` on a node near it that the entries reach.
  EdgeUpdates attach(std::span<const Row> nodes, std::span<const Row> entries);

 private:
  struct Edge {
    Row to, from;
  };
  struct Worker {
    BeamSearch search;
    Pruner pruner;
    ScorerScratch scorer_scratch;
    std::vector<Neighbor> candidates, mates;
    std::vector<float> distances;
    std::vector<Row> rows;
  };
  void add_measured(const Scorer& scorer, std::span<const Row> rows, Worker& worker) const;
  /// Of the worker's candidates, `most` neighbours of `node`, which `scorer` measures from.
  std::span<const Row> choose(const Scorer& scorer, Row node, std::size_t most, Worker& worker) const;
  /// Makes candidates of the nearest of `batch`: without them rows of a region that is new to the graph would not know
  /// each other. Rows farther than `limit` are left out.
  void add_mates(const Scorer& scorer, Row node, std::span<const Row> batch, float limit, Worker& worker) const;
  std::span<const Row> find_neighbors(Row node, std::span<const Row> batch, std::span<const Row> entries,
                                      Worker& worker) const;
  /// Gives a neighbour that knows it to each of `nodes` that was pruned from all of its neighbours: else nobody would
  /// find it. `place`: of every node in the rewiring.
  void hold(std::span<const Row> nodes, std::unordered_map<Row, std::size_t>& place, EdgeUpdates& rewiring) const;
  std::span<const Row> join(Row node, std::span<const Row> old, std::span<const Edge> edges, Worker& worker) const;

  NodeMetric metric_;
  const Adjacency& graph_;
  BuildSettings settings_;
  unsigned threads_;
  std::vector<Worker> workers_;
};

}  // namespace lookalike
