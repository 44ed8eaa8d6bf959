#include "index/core/where.hpp"

#include <string>

#include "base/errors.hpp"

namespace lookalike {
namespace {

RowFilter rows_of(const IdsView& wanted, const IdMap& ids) {
  RowFilter admitted(ids.rows());
  for (const Row row : ids.find(wanted, "where")) {
    if (row != no_row) admitted.set(row);
  }
  return admitted;
}

RowFilter rows_under(std::span<const std::uint8_t> mask, const IdMap& ids) {
  if (mask.size() != ids.live_count()) {
    throw InvalidArgument("where is a mask of " + std::to_string(mask.size()) + " values, but the index holds " +
                          std::to_string(ids.live_count()) + " vectors; a mask needs one value a vector");
  }
  if (ids.removed_count() == 0) return RowFilter::of_mask(mask);
  RowFilter admitted(ids.rows());
  std::size_t at = 0;
  for (std::size_t row = 0; row < ids.rows(); ++row) {
    if (ids.is_live(static_cast<Row>(row)) && mask[at++]) admitted.set(static_cast<Row>(row));
  }
  return admitted;
}

}  // namespace

std::optional<RowFilter> admitted_rows(const Where& where, const IdMap& ids) {
  if (const auto* wanted = std::get_if<IdsView>(&where)) return rows_of(*wanted, ids);
  if (const auto* mask = std::get_if<std::span<const std::uint8_t>>(&where)) return rows_under(*mask, ids);
  return std::nullopt;
}

}  // namespace lookalike
