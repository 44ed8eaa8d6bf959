// Which nodes a walk can come to at all.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/adjacency.hpp"

namespace lookalike {

/// Nodes to which no path leads from any of `entries`, ascending.
std::vector<Row> unreached(const Adjacency& graph, std::span<const Row> entries);

/// Nodes, ascending, from which together with the entries all are reached: of those that know one another, one.
std::vector<Row> missing_entries(const Adjacency& graph, std::span<const Row> entries);

}  // namespace lookalike
