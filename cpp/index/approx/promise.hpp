// The promise: the recall that searches without an explicit effort reach, measured by the index on its own rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/file.hpp"

namespace lookalike {

/// An effort (ef, nprobe) at which searches are exact: they measure every row.
inline constexpr std::size_t exact_effort = 0x7fffffff;
/// The k of the promised recall@k.
inline constexpr std::size_t promised_k = 10;

struct Promise {
  float target = 0.95f;       // the recall to reach
  bool is_requested = false;  // whether tune() set the target; otherwise it is the default
  std::uint32_t effort = 0;   // the effort that reaches the target; 0: not measured yet
  float recall = 0;           // the recall measured with this effort
  std::uint32_t queries = 0;  // the number of rows used as queries; each is excluded from its own results
  std::uint64_t rows = 0;     // the number of live rows at that time
  std::uint64_t changed = 0;  // rows added, replaced or removed since then

  /// Whether to measure again, because at least a third of the rows have changed.
  bool is_due() const noexcept { return effort == 0 || 3 * changed >= rows; }
  /// How many rows to use as queries: one per `changes_per_query` changed rows, so that measuring takes a small share
  /// of the time of adding.
  std::size_t queries_to_measure(std::uint64_t current_rows, std::size_t changes_per_query, std::size_t min_queries,
                                 std::size_t max_queries) const noexcept;
  /// The effort for `current_rows` rows. Until it is measured again, an effort above `min_effort` grows by the given
  /// power of the growth in rows.
  std::size_t effort_for(std::uint64_t current_rows, std::size_t min_effort, double exponent) const noexcept;
  /// Makes the promise due, because the index was retrained.
  void expire() noexcept { changed = changed < rows ? rows : changed; }
  bool is_exact() const noexcept { return effort == exact_effort; }

  void save(FileWriter& file) const;
  /// Returns an unmeasured promise if the file predates promises. Throws CorruptFile.
  static Promise load(const FileReader& file);
};

/// How to search for the effort that keeps a promise.
struct PromiseSearch {
  std::size_t min_effort, max_effort;
  float min_recall;          // required of the recall minus its standard error
  std::size_t growth_steps;  // an insufficient effort grows by 1 / growth_steps
  unsigned threads;
};

class RecallEvaluator;

/// Finds the smallest sufficient effort: starting at min_effort, it grows until the recall suffices and, except for
/// inner products, every sampled row finds itself. The result is exact_effort if no effort suffices or exact search is
/// as cheap. The caller holds the writer mutex, so the index does not change meanwhile.
Promise tune_promise(const RecallEvaluator& evaluator, const Promise& before, const PromiseSearch& search);

}  // namespace lookalike
