// Access to the points of rows while vectors are being replaced by codes (keep='none').
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/core/rows.hpp"
#include "index/core/rows_change.hpp"
#include "index/ivf/lists.hpp"

namespace lookalike {

/// Points of new and replaced rows are computed from their vectors, which are still available. Points of all other rows
/// are decoded from their codes. Borrows rows, lists and change.
class PointSource {
 public:
  /// `replacements`: null if no row is replaced.
  PointSource(const Rows& rows, const IvfLists& lists, Change* replacements);
  PointSource(const PointSource&) = delete;
  PointSource& operator=(const PointSource&) = delete;

  const PointOverrides& overrides() const noexcept { return overrides_; }
  /// Makes decoded points available.
  void locate_codes();

 private:
  void write_point(std::size_t row, float* out) const;
  bool has_only_code(std::size_t row) const {
    return row < first_stored_ && !replaced_.contains(static_cast<Row>(row));
  }
  /// Copies the code of a row without a vector.
  void read_code(std::size_t row, std::span<std::byte> code) const;

  const IvfLists& lists_;
  const std::size_t first_stored_;                 // rows from here on still have vectors
  const MetricSpace stored_;                       // the space of these rows
  MetricSpace replacements_;                       // the space of replacing vectors
  std::unordered_map<Row, std::size_t> replaced_;  // from row to its index in `replacements`
  std::vector<std::uint32_t> list_of_;             // the list of every row
  PointOverrides overrides_;
};

}  // namespace lookalike
