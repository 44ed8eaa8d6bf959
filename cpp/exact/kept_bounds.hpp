// A sketch of an index's rows: made when the searches at hand repay it, forgotten when the rows change.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>

#include "bounds/row_bounds.hpp"
#include "exact/exact_search.hpp"

namespace lookalike {

class KeptBounds {
 public:
  /// What to search `queries` queries with: the sketch at hand, else one made now if so many queries repay it, else
  /// null. The rows must not change meanwhile. While another thread makes one, searches go without.
  std::shared_ptr<const RowBounds> find(const ExactTarget& target, std::size_t queries, unsigned threads);
  /// Makes the sketch if the rows want one.
  void make(const ExactTarget& target, unsigned threads);
  /// The rows have changed.
  void forget() noexcept;
  std::size_t bytes() const;

 private:
  mutable std::mutex held_;  // guards the two below, for a moment at a time
  std::shared_ptr<const RowBounds> sketch_;
  bool is_known_ = false;  // also when the answer was that no sketch helps
  std::mutex making_;
};

}  // namespace lookalike
