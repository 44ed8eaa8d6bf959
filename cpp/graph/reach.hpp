// Which nodes a walk can come to at all.
#pragma once

#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/adjacency.hpp"

namespace lookalike {

/// Nodes to which no path leads from any of `entries`, ascending.
std::vector<Row> unreached(const Adjacency& graph, std::span<const Row> entries);

}  // namespace lookalike
