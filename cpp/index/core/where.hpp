// Which rows a search may return, as the user says it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include "rows/id_map.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// Everything; the vectors these ids name, passing over ids that are not stored; or a mask (not 0: admitted)
/// over the live vectors in insertion order.
using Where = std::variant<std::monostate, IdsView, std::span<const std::uint8_t>>;

/// The rows `where` admits, none of them removed; nullopt for all live rows. Throws InvalidArgument for a mask of the
/// wrong length or ids of the wrong kind.
std::optional<RowFilter> admitted_rows(const Where& where, const IdMap& ids);

}  // namespace lookalike
