// The points of rows whose vectors an index does not keep once they are listed.
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

/// Of new rows and of vectors that replace others the points are those of the vectors, which are still there; of all
/// others, what their codes stand for. Borrows rows, lists and change.
class PassingPoints {
 public:
  /// `replacements`: null where nothing is replaced.
  PassingPoints(const Rows& rows, const IvfLists& lists, Change* replacements);
  PassingPoints(const PassingPoints&) = delete;
  PassingPoints& operator=(const PassingPoints&) = delete;

  const PointOverrides& elsewhere() const noexcept { return elsewhere_; }
  /// From now on codes are told, too.
  void find_codes();

 private:
  void write(std::size_t row, float* out) const;
  bool is_forgotten(std::size_t row) const { return row < fresh_from_ && !replaced_.contains(static_cast<Row>(row)); }
  /// Copies the code of a forgotten row.
  void get_code(std::size_t row, std::span<std::byte> code) const;

  const IvfLists& lists_;
  const std::size_t fresh_from_;
  const MetricSpace fresh_;
  MetricSpace replacing_;
  std::unordered_map<Row, std::size_t> replaced_;  // where their vectors are
  std::vector<std::uint32_t> list_of_;             // of every listed row
  PointOverrides elsewhere_;
};

}  // namespace lookalike
