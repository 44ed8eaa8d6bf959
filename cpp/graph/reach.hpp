// Reachability of nodes from the entry points.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/adjacency.hpp"

namespace lookalike {

/// Nodes that no path from any of `entries` reaches, ascending.
std::vector<Row> unreachable_nodes(const Adjacency& graph, std::span<const Row> entries);

/// Further entries, ascending, that make every node reachable. Greedy: adds the first unreachable node, marks all that
/// it reaches, and repeats.
std::vector<Row> missing_entries(const Adjacency& graph, std::span<const Row> entries);

}  // namespace lookalike
