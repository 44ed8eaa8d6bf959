// The filter of a search, as the user passes it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "rows/id_map.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// No filter; the admitted ids, of which those not stored are ignored; or a mask over the live vectors in insertion
/// order, in which nonzero values admit.
using Where = std::variant<std::monostate, IdsView, std::span<const std::uint8_t>>;

/// The live rows that `where` admits; nullopt if it admits all. Throws InvalidArgument for a mask of the wrong length
/// or ids of the wrong kind.
std::optional<RowFilter> admitted_rows(const Where& where, const IdMap& ids);

}  // namespace lookalike
