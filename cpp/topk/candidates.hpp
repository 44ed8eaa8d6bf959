// The rows that may still be among a query's k nearest, judged by keys that are only nearly right.
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

/// How far a key may lie from the truth it stands for:
///   truth >= key - query   and   truth <= key + |key| * relative + 2 * rows[row] * row_unit + query.
/// Keys lean low by their row's share, so that one comparison with a limit serves every row.
struct Slack {
  float relative = 0;
  const float* rows = nullptr;  // null: zeros
  float row_unit = 1;
  float query = 0;
};

/// A bounded buffer of candidates, borrowed from the caller: `capacity` of them, for the `k` nearest.
class CandidatePool {
 public:
  static std::size_t capacity_for(std::size_t k) { return k + (k > 64 ? k : 64); }

  CandidatePool(Candidate* held, std::size_t& count, float& limit, std::size_t k) noexcept
      : held_(held), count_(count), limit_(limit), k_(k) {}

  float limit() const noexcept { return limit_; }
  std::span<Candidate> held() const noexcept { return {held_, count_}; }
  bool is_full() const noexcept { return count_ == capacity_for(k_); }

  /// A key that overflowed to NaN says nothing: the row stays a candidate until it is measured precisely.
  void push(float key, Row row) noexcept {
    held_[count_++] = {key == key ? key : -std::numeric_limits<float>::infinity(), row};
  }

  /// Lowers the limit to what the k best keys allow, and forgets the rows above it.
  void tighten(const Slack& slack) noexcept;
  /// Keeps the k candidates the caller has moved to the front, after measuring them all precisely.
  void keep_first_k() noexcept { count_ = count_ < k_ ? count_ : k_; }

 private:
  Candidate* held_;
  std::size_t& count_;
  float& limit_;
  std::size_t k_;
};

/// The limit that the k best of `candidates` (reordered) allow; infinity where there are fewer than k.
float limit_of(std::span<Candidate> candidates, std::size_t k, const Slack& slack) noexcept;

}  // namespace lookalike
