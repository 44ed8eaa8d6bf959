// Keys: float distances from the kernels, with bounds of their rounding errors.
#pragma once

#include <cstddef>
#include <span>

#include "exact/parts.hpp"

namespace lookalike {

/// Writes the keys of `count` rows, starting at position `first` of `subset`, or of all rows if it is empty. A key is
/// the distance, except for cosine: there it is -cosine * |query|.
void block_keys(const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                std::span<const Row> subset, std::size_t first, std::size_t count, float* keys);

/// The error bounds of these keys.
Slack key_slack(const ExactTarget& target, const PreparedQueries& queries, std::size_t query);

}  // namespace lookalike
