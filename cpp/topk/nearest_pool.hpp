// A top-k list that is always sorted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"
#include "topk/neighbor.hpp"
#include "topk/ordered_bits.hpp"

namespace lookalike {

/// Ascending by distance, then row. Distances are finite.
class NearestPool {
 public:
  /// Clears the pool, which then keeps the `width` nearest.
  void reset(std::size_t width) {
    width_ = width;
    if (keys_.size() < width + 2 * sorted_margin) keys_.resize(width + 2 * sorted_margin);
    std::fill_n(keys_.data(), sorted_margin, std::numeric_limits<std::int64_t>::min());
    std::fill_n(keys_.data() + sorted_margin, width + sorted_margin, empty);
    limit_ = std::numeric_limits<float>::infinity();
  }

  /// Farther rows are dropped by `push`: the largest distance in a full pool, else infinity.
  float limit() const noexcept { return limit_; }

  void push(float distance, Row row) {
    kernels().insert_sorted(keys_.data() + sorted_margin, width_, key_of(distance, row));
    const std::int64_t last = keys_[sorted_margin + width_ - 1];
    if (last != empty) limit_ = distance_of(last);
  }

  /// Appends the neighbours, nearest first.
  void append_to(std::vector<Neighbor>& out) const {
    const std::int64_t* const keys = keys_.data() + sorted_margin;
    for (std::size_t i = 0; i < width_ && keys[i] != empty; ++i)
      out.push_back({static_cast<Row>(keys[i]), distance_of(keys[i])});
  }

 private:
  // A key holds the distance in its upper 32 bits and the row in its lower ones.
  static constexpr std::int64_t empty = std::numeric_limits<std::int64_t>::max();
  static std::int64_t key_of(float distance, Row row) {
    return ordered_bits(distance) * (std::int64_t{1} << 32) + std::int64_t{row};
  }
  static float distance_of(std::int64_t key) { return from_ordered_bits(static_cast<std::int32_t>(key >> 32)); }

  std::size_t width_ = 0;
  float limit_ = 0;
  std::vector<std::int64_t> keys_;
};

}  // namespace lookalike
