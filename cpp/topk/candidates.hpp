// The rows that may still be among a query's k nearest. Their keys are distances with bounded rounding errors.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "base/types.hpp"

namespace lookalike {

struct Candidate {
  float key = std::numeric_limits<float>::infinity();
  Row row = no_row;
};

/// Error bounds of keys. For the exact distance of a row:
///   exact >= key - query   and   exact <= key + |key| * relative + 2 * rows[row] * row_unit + query.
/// The row's own error is subtracted from its key beforehand, so the same limit applies to every row.
struct Slack {
  float relative = 0;
  const float* rows = nullptr;  // null: all zero
  float row_unit = 1;
  float query = 0;
};

/// The candidates for a query's `k` nearest, in a buffer of capacity_for(k) that the caller owns.
class CandidatePool {
 public:
  static std::size_t capacity_for(std::size_t k) { return k + (k > 64 ? k : 64); }

  CandidatePool(Candidate* candidates, std::size_t& count, float& limit, std::size_t k) noexcept
      : candidates_(candidates), count_(count), limit_(limit), k_(k) {}

  float limit() const noexcept { return limit_; }
  std::span<Candidate> candidates() const noexcept { return {candidates_, count_}; }
  bool is_full() const noexcept { return count_ == capacity_for(k_); }

  /// A NaN key (from overflow) becomes -infinity, so that the row stays a candidate until its exact distance is known.
  void push(float key, Row row) noexcept {
    candidates_[count_++] = {key == key ? key : -std::numeric_limits<float>::infinity(), row};
  }

  /// Lowers the limit to the upper bound of the k-th distance and removes the candidates above it.
  void tighten(const Slack& slack) noexcept;
  /// Keeps the first k. The caller has computed all exact distances and moved the k nearest to the front.
  void keep_first_k() noexcept { count_ = count_ < k_ ? count_ : k_; }

 private:
  Candidate* candidates_;
  std::size_t& count_;
  float& limit_;
  std::size_t k_;
};

/// An upper bound of the k-th distance, taken from the k smallest keys; infinity if there are fewer than k candidates.
/// Reorders `candidates`.
float kth_upper_bound(std::span<Candidate> candidates, std::size_t k, const Slack& slack) noexcept;

}  // namespace lookalike
