// Keys straight from the kernels: nearly right, and known to be how nearly.
#pragma once

#include <cstddef>
#include <span>

#include "exact/parts.hpp"

namespace lookalike {

/// Keys of the rows at places [first, first + count): of the picks, or of all rows when there are none. A key is the
/// distance itself, but for cosine it is -cosine * |query|.
void block_keys(const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                std::span<const Row> picks, std::size_t first, std::size_t count, float* keys);

/// How far such keys may lie from the truth.
Slack key_slack(const ExactTarget& target, const PreparedQueries& queries, std::size_t query);

}  // namespace lookalike
