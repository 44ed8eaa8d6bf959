// A few nodes that lie far from one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/node_metric.hpp"

namespace lookalike {

/// At most `count` of `rows`, each drawn with a chance that grows with its distance from those before it, so that every
/// cluster is likely to have one [Arthur and Vassilvitskii 2007, section 2.2].
std::vector<Row> select_entries(const NodeMetric& metric, std::span<const Row> rows, std::size_t count,
                                std::uint64_t seed);

}  // namespace lookalike
