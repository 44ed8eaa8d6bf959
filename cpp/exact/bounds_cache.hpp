// The lower-bound codes of an index's rows: built when the searches repay it, discarded when the rows change.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "bounds/row_bounds.hpp"
#include "exact/exact_search.hpp"

namespace lookalike {

/// Thread-safe. The rows must not change during `get` and `build`.
class BoundsCache {
 public:
  /// Returns the cached bounds. If there are none, builds them when a batch of `queries` queries repays it, else
  /// returns null. Also returns null while another thread builds them.
  std::shared_ptr<const RowBounds> get(const ExactTarget& target, std::size_t queries, unsigned threads);
  /// Builds the bounds if they can make searches faster.
  void build(const ExactTarget& target, unsigned threads);
  /// Discards the bounds after the rows have changed.
  void invalidate() noexcept;
  std::size_t bytes() const;

 private:
  mutable std::mutex state_mutex_;  // guards the next two, and is held briefly
  std::shared_ptr<const RowBounds> bounds_;
  bool is_decided_ = false;  // true with null bounds: none make searches faster
  std::mutex build_mutex_;   // one thread builds at a time
};

}  // namespace lookalike
