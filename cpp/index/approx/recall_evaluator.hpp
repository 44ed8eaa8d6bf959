// The recall of an approximate index, measured on vectors it does not hold.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "index/core/records.hpp"
#include "index/core/rows.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// An approximate index as its evaluators see it. Everything is borrowed.
struct EvaluatedIndex {
  const Records* records;
  const std::uint64_t* version;  // counts changes of the rows
  /// Searches as the index does, but query q never finds row hidden[q]. Under the lock; false, and nothing is searched,
  /// where every row would be measured.
  std::function<bool(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> put)>
      search;
};

/// Queries and their true k nearest, found once. A stored vector is searched for as if it were not stored.
class RecallEvaluator {
 public:
  struct Hits {
    std::size_t found = 0, wanted = 0;
    std::size_t queries = 0;
    double squares = 0;     // of what share each query found
    bool is_exact = false;  // every row was measured

    float share() const noexcept { return wanted ? static_cast<float>(double(found) / double(wanted)) : 1; }
    /// The standard error of that share.
    float error() const noexcept {
      const double count = std::max<double>(1, static_cast<double>(queries)), mean = share();
      return static_cast<float>(std::sqrt(std::max(0.0, squares / count - mean * mean) / count));
    }
  };

  /// Queries of the user's.
  RecallEvaluator(EvaluatedIndex index, const VectorsView& queries, std::size_t k, unsigned threads);
  /// At most `count` of the stored vectors, drawn at random.
  RecallEvaluator(EvaluatedIndex index, std::size_t count, std::size_t k, std::uint64_t seed, unsigned threads);

  std::size_t count() const noexcept { return count_; }
  /// The rows there were.
  std::size_t rows() const noexcept { return rows_; }
  VectorsView queries() const noexcept { return {vectors_.data(), element_, count_, dim_, vectors_.size() / count_}; }
  /// The true neighbours of a query, nearest first.
  std::span<const Neighbor> truth(std::size_t query) const { return std::span(truth_).subspan(query * k_, k_); }
  /// How many of the true neighbours a search with this effort finds. Throws InvalidArgument where the index has
  /// changed.
  Hits recall(std::size_t effort, unsigned threads) const;
  /// Whether a search with this effort finds each stored vector that is searched for, or one that equals it; under
  /// Metric::ip, where others may be nearer to a vector than it is itself, nothing is asked.
  bool all_find_themselves(std::size_t effort, unsigned threads) const;

 private:
  /// Takes the lock anew for every part of the queries, so that others come in between; of them a writer ends it.
  void find_truth(unsigned threads);
  /// Under the lock. Throws InvalidArgument where the index has changed.
  void require_unchanged() const;
  /// Of what is searched for, what a stored vector finds of itself.
  std::size_t own() const noexcept { return hidden_.empty() || hidden_[0] == no_row ? 0 : 1; }
  /// Under the lock: what there is to find.
  void choose_k(const Rows& rows, std::size_t k) noexcept;
  /// How many of what a search found belong there.
  std::size_t right(std::size_t query, std::span<const Neighbor> found) const;

  EvaluatedIndex index_;
  std::uint64_t version_ = 0;
  std::size_t rows_ = 0, count_ = 0, dim_ = 0, k_ = 0;
  Element element_ = Element::f32;
  Array<std::byte> vectors_;
  std::vector<Row> hidden_;      // the row each query is, or no_row
  std::vector<Neighbor> truth_;  // k_ a query
};

}  // namespace lookalike
