// The recall that searches reach when they name no effort, as an index measured it on its own rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/file.hpp"

namespace lookalike {

/// An effort (ef, nprobe) with which every row is measured instead.
inline constexpr std::size_t exact_effort = 0x7fffffff;
/// Neighbours that recall is promised for.
inline constexpr std::size_t promised_neighbors = 10;

struct Promise {
  float target = 0.95f;       // recall that is to be reached
  bool is_requested = false;  // by tune(); else it is the usual one
  std::uint32_t effort = 0;   // that reaches it; 0: nothing was measured yet
  float recall = 0;           // measured with that effort,
  std::uint32_t queries = 0;  // on so many rows, each searched for as if it were not there,
  std::uint64_t rows = 0;     // of so many
  std::uint64_t changed = 0;  // rows added, replaced or removed since

  /// Whether a third of the rows have changed since it was measured.
  bool is_due() const noexcept { return effort == 0 || 3 * changed >= rows; }
  /// How many of `now` rows to measure it on: one for every `changes_each` that changed, so that measuring stays a
  /// small share of adding.
  std::size_t queries_due(std::uint64_t now, std::size_t changes_each, std::size_t fewest,
                          std::size_t most) const noexcept;
  /// The effort among so many rows: what is above `least` grows with this power of the rows, until it is measured
  /// again.
  std::size_t effort_among(std::uint64_t now, std::size_t least, double power) const noexcept;
  /// For when what it was measured with is there no longer.
  void expire() noexcept { changed = changed < rows ? rows : changed; }
  bool goes_exact() const noexcept { return effort == exact_effort; }

  void save(FileWriter& file) const;
  /// Nothing measured where the file is older than promises are. Throws CorruptFile.
  static Promise load(const FileReader& file);
};

/// How an index looks for the effort.
struct PromiseSearch {
  std::size_t least, most;  // efforts
  float wanted;             // recall, less its standard error
  std::size_t steps;        // a failed effort grows by this part of itself
  unsigned threads;
};

class RecallEvaluator;

/// Measures again: efforts grow from the least until the recall is what is wanted and, but for inner products, all
/// sampled rows find themselves; where none does, or measuring all rows is as cheap, searches are to go exact. For
/// whoever is in the writer's seat: nothing changes meanwhile.
Promise measured(const RecallEvaluator& evaluator, const Promise& before, const PromiseSearch& search);

}  // namespace lookalike
