// Entry-point selection: a few nodes that lie far from one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/node_metric.hpp"

namespace lookalike {

/// Draws at most `count` of `rows`, each with a probability proportional to its distance from those drawn before, so
/// that every cluster is likely to get an entry [k-means++: Arthur and Vassilvitskii 2007, section 2.2].
std::vector<Row> select_entries(const NodeMetric& metric, std::span<const Row> rows, std::size_t count,
                                std::uint64_t seed);

}  // namespace lookalike
