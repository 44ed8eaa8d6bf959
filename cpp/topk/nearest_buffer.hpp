// The nearest few of many, told apart only when there is no room left: cheap where many come and most go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/types.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// What is nearest does not depend on the order in which rows come. Distances are finite.
class NearestBuffer {
 public:
  /// Forgets what it holds; from now on it holds the `width` nearest, at least.
  void begin(std::size_t width);

  /// Nothing farther gets in.
  float limit() const noexcept { return limit_; }

  void put(float distance, Row row) {
    distances_[count_] = distance;
    rows_[count_] = row;
    if (++count_ == capacity_) shrink();
  }

  /// Appends the `width` nearest, ascending by distance, then row.
  void append_to(std::vector<Neighbor>& out) const;

 private:
  void shrink();

  std::size_t width_ = 0, capacity_ = 0, count_ = 0;
  float limit_ = std::numeric_limits<float>::infinity();
  std::vector<float> distances_;
  std::vector<Row> rows_;
  mutable std::vector<std::int64_t> keys_;  // room
};

}  // namespace lookalike
