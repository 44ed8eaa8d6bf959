// Measures the recall of an approximate index, on given queries or on its own rows.
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

/// What a RecallEvaluator needs of an index. Everything is borrowed.
struct EvaluatedIndex {
  const Records* records;
  const std::uint64_t* version;  // incremented by every change of rows
  /// Searches like the index, but excludes row hidden[q] from the results of query q, and calls emit(q, neighbors). The
  /// caller holds the lock. Returns false without searching if the search would be exact.
  std::function<bool(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> emit)>
      search;
};

/// Queries and their true k nearest neighbours (ground truth), computed once. A query that is a stored row is excluded
/// from its own neighbours.
class RecallEvaluator {
 public:
  struct Hits {
    std::size_t found = 0, total = 0;
    std::size_t queries = 0;
    double squares = 0;     // sum over queries of the squared recall
    bool is_exact = false;  // the search was exact

    float recall() const noexcept { return total ? static_cast<float>(double(found) / double(total)) : 1; }
    /// The standard error of the recall.
    float standard_error() const noexcept {
      const double count = std::max<double>(1, static_cast<double>(queries)), mean = recall();
      return static_cast<float>(std::sqrt(std::max(0.0, squares / count - mean * mean) / count));
    }
  };

  /// Evaluates on the user's queries.
  RecallEvaluator(EvaluatedIndex index, const VectorsView& queries, std::size_t k, unsigned threads);
  /// Evaluates on at most `count` stored rows, sampled at random, and their self-recall on `self_queries` rows, which
  /// include these.
  RecallEvaluator(EvaluatedIndex index, std::size_t count, std::size_t k, std::uint64_t seed, unsigned threads,
                  std::size_t self_queries = 0);

  std::size_t count() const noexcept { return count_; }
  /// The number of live rows when the evaluator was made.
  std::size_t rows() const noexcept { return rows_; }
  VectorsView queries() const noexcept { return {vectors_.data(), element_, count_, dim_, vectors_.size() / count_}; }
  /// The true neighbours of a query, nearest first.
  std::span<const Neighbor> truth(std::size_t query) const { return std::span(truth_).subspan(query * k_, k_); }
  /// Counts the true neighbours that a search with this effort finds. Throws InvalidArgument if the index has changed.
  Hits recall(std::size_t effort, unsigned threads) const;
  /// Whether a search with this effort finds every sampled row, or an equal one, as its own nearest neighbour. Always
  /// true for Metric::ip, where a vector need not be its own nearest neighbour.
  bool has_full_self_recall(std::size_t effort, unsigned threads) const;

 private:
  /// Re-acquires the read lock per batch of queries so that writers are not starved; throws if one changed the index.
  void find_truth(unsigned threads);
  /// Throws InvalidArgument if the index has changed. The caller holds the lock.
  void require_unchanged() const;
  /// Results per query that are the query itself: 1 if queries are stored rows, else 0.
  std::size_t self_hits() const noexcept { return hidden_.empty() || hidden_[0] == no_row ? 0 : 1; }
  /// Limits k to the rows that can be found. The caller holds the lock.
  void set_k(const Rows& rows, std::size_t k) noexcept;
  /// How many of the rows in `found` are true neighbours.
  std::size_t count_true(std::size_t query, std::span<const Neighbor> found) const;

  EvaluatedIndex index_;
  std::uint64_t version_ = 0;
  std::size_t rows_ = 0, count_ = 0, dim_ = 0, k_ = 0;
  Element element_ = Element::f32;
  Array<std::byte> vectors_;
  std::vector<Row> hidden_;        // the stored row that each query is, or no_row
  Array<std::byte> self_vectors_;  // more stored rows, for self-recall
  std::vector<Row> self_rows_;
  std::vector<Neighbor> truth_;  // k_ per query
};

}  // namespace lookalike
