// Links nodes into a graph in batches, with a result that does not depend on the number of threads [Manohar et al.
// 2024].
//
// All threads search the unchanged graph for candidates of the batch's nodes. Nodes of the same batch are candidates
// too, although no search reaches them yet. Reverse edges are then grouped by the node that they start from, so that
// each node has one writer.
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
  std::size_t ef_construction = 200;  // pool size of the searches that find candidates
};

/// Reads a graph and returns edge updates, which the caller applies.
class Builder {
 public:
  /// Borrows the metric's function and the graph. threads = 0: all that are available.
  Builder(const NodeMetric& metric, const Adjacency& graph, const BuildSettings& settings, unsigned threads);

  /// Finds neighbours for `nodes`, which are distinct, by searches from `entries`, and adds the reverse edges. The
  /// present neighbours of a node are candidates too.
  EdgeUpdates link(std::span<const Row> nodes, std::span<const Row> entries);
  /// Removes the neighbours for which `is_removed` holds from `nodes`. The neighbours of a removed neighbour become
  /// candidates in its place.
  EdgeUpdates consolidate_deletes(std::span<const Row> nodes, function_ref<bool(Row)> is_removed);
  /// Gives each of `nodes` an incoming edge from a nearby node that the entries reach.
  EdgeUpdates attach(std::span<const Row> nodes, std::span<const Row> entries);

 private:
  struct Edge {
    Row to, from;
  };
  struct Worker {
    BeamSearch search;
    Pruner pruner;
    ScorerScratch scorer_scratch;
    std::vector<Neighbor> candidates, batch_candidates;
    std::vector<float> distances;
    std::vector<Row> rows;
  };
  /// Adds `rows` with their distances to the worker's candidates.
  void add_measured(const Scorer& scorer, std::span<const Row> rows, Worker& worker) const;
  /// Prunes the worker's candidates to at most `max_degree` neighbours of `node`, which `scorer` measures from.
  std::span<const Row> prune_candidates(const Scorer& scorer, Row node, std::size_t max_degree, Worker& worker) const;
  /// Adds the nearest rows of `batch`, none farther than `limit`, to the candidates. Without them, rows in a region
  /// that is new to the graph would not link to each other.
  void add_batch_candidates(const Scorer& scorer, Row node, std::span<const Row> batch, float limit,
                            Worker& worker) const;
  std::span<const Row> find_neighbors(Row node, std::span<const Row> batch, std::span<const Row> entries,
                                      Worker& worker) const;
  /// Restores one incoming edge to each of `nodes` that all of its neighbours have pruned, because no search would find
  /// it. `node_index` gives the position of each node in `updates`.
  void restore_incoming_edges(std::span<const Row> nodes, std::unordered_map<Row, std::size_t>& node_index,
                              EdgeUpdates& updates) const;
  /// Adds the sources of `edges` to the `current` neighbours of `node`, and prunes if there are too many.
  std::span<const Row> merge_reverse_edges(Row node, std::span<const Row> current, std::span<const Edge> edges,
                                           Worker& worker) const;

  NodeMetric metric_;
  const Adjacency& graph_;
  BuildSettings settings_;
  unsigned threads_;
  std::vector<Worker> workers_;
};

}  // namespace lookalike
