// An unsorted top-k buffer: it is pruned only when it is full, which is cheap where many rows are pushed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/types.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// The result does not depend on the order of the pushes. Distances are finite.
class NearestBuffer {
 public:
  /// Clears the buffer, which then keeps at least the `width` nearest.
  void reset(std::size_t width);

  /// Farther rows cannot be among the `width` nearest; the caller does not push them.
  float limit() const noexcept { return limit_; }

  void push(float distance, Row row) {
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
  mutable std::vector<std::int64_t> keys_;  // reused from call to call
};

}  // namespace lookalike
