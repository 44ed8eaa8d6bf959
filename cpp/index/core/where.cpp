#include "index/core/where.hpp"

#include <string>

#include "base/errors.hpp"

namespace lookalike {
namespace {

RowFilter filter_of_ids(const IdsView& admitted_ids, const IdMap& ids) {
  RowFilter filter(ids.rows());
  for (const Row row : ids.find(admitted_ids, "where")) {
    if (row != no_row) filter.set(row);
  }
  return filter;
}

RowFilter filter_of_mask(std::span<const std::uint8_t> mask, const IdMap& ids) {
  if (mask.size() != ids.live_count()) {
    throw InvalidArgument("where is a mask of " + std::to_string(mask.size()) + " values, but the index holds " +
                          std::to_string(ids.live_count()) + " vectors; a mask needs one value per vector");
  }
  if (ids.removed_count() == 0) return RowFilter::from_mask(mask);
  RowFilter filter(ids.rows());
  std::size_t live_index = 0;
  for (std::size_t row = 0; row < ids.rows(); ++row) {
    if (ids.is_live(static_cast<Row>(row)) && mask[live_index++]) filter.set(static_cast<Row>(row));
  }
  return filter;
}

}  // namespace

std::optional<RowFilter> admitted_rows(const Where& where, const IdMap& ids) {
  if (const auto* admitted_ids = std::get_if<IdsView>(&where)) return filter_of_ids(*admitted_ids, ids);
  if (const auto* mask = std::get_if<std::span<const std::uint8_t>>(&where)) return filter_of_mask(*mask, ids);
  return std::nullopt;
}

}  // namespace lookalike
