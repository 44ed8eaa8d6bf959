#include "topk/nearest_buffer.hpp"

#include <algorithm>
#include <cstdint>

#include "topk/approximate_kth.hpp"
#include "topk/ordered_bits.hpp"

namespace lookalike {
namespace {

// Distance and row as one integer, which sorts by distance, then row.
std::int64_t key_of(float distance, Row row) {
  return ordered_bits(distance) * (std::int64_t{1} << 32) + std::int64_t{row};
}

Neighbor neighbor_of(std::int64_t key) {
  return {static_cast<Row>(key), from_ordered_bits(static_cast<std::int32_t>(key >> 32))};
}

}  // namespace

void NearestBuffer::reset(std::size_t width) {
  constexpr std::size_t spare = 64;
  width_ = width;
  capacity_ = 2 * width + spare;
  count_ = 0;
  limit_ = std::numeric_limits<float>::infinity();
  if (distances_.size() < capacity_) distances_.resize(capacity_), rows_.resize(capacity_);
}

void NearestBuffer::shrink() {
  limit_ = approximate_kth({distances_.data(), count_}, width_);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    distances_[kept] = distances_[i];
    rows_[kept] = rows_[i];
    kept += distances_[i] <= limit_;
  }
  count_ = kept;
  if (count_ <= width_ + width_ / 2) return;
  // Many distances are equal: the row numbers break the ties.
  std::vector<Neighbor> nearest;
  append_to(nearest);
  count_ = nearest.size();
  for (std::size_t i = 0; i < count_; ++i) distances_[i] = nearest[i].distance, rows_[i] = nearest[i].row;
}

void NearestBuffer::append_to(std::vector<Neighbor>& out) const {
  const float limit = count_ > width_ ? approximate_kth({distances_.data(), count_}, width_) : limit_;
  std::vector<std::int64_t>& keys = keys_;
  keys.clear();
  for (std::size_t i = 0; i < count_; ++i)
    if (distances_[i] <= limit) keys.push_back(key_of(distances_[i], rows_[i]));
  std::sort(keys.begin(), keys.end());
  keys.resize(std::min(width_, keys.size()));
  for (const std::int64_t key : keys) out.push_back(neighbor_of(key));
}

}  // namespace lookalike
