// Approximate search by beam search over a proximity graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "graph/edge_updates.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "index/approx/tuning.hpp"
#include "index/core/answer.hpp"
#include "index/core/object_pool.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "index/hnsw/graph.hpp"
#include "index/hnsw/search.hpp"
#include "index/hnsw/settings.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Vectors with ids in a graph. Thread-safe: readers run concurrently; a writer computes changes of the graph while
/// they read, and applies them in small steps. Added rows are stored first; searches find them once all rows of the
/// call are linked. A member that throws leaves the rows as they were, with one exception: if `upsert` or `remove` is
/// interrupted while it updates the graph, the rows stay replaced or removed.
class Hnsw {
 public:
  static constexpr const char* kind = "hnsw";

  /// dim = 0: taken from the first vectors. Throws InvalidArgument if the arguments contradict each other.
  Hnsw(std::size_t dim, Metric metric, const HnswSettings& settings);

  const Records& records() const noexcept { return records_; }
  const HnswSettings& settings() const noexcept { return settings_; }
  /// The quantization that searches use; the requested one while there are no rows.
  Quantization quantization() const;
  std::size_t bytes() const;

  /// As in Flat.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  void add(const VectorsView& vectors, unsigned threads);
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  std::size_t remove(const IdsView& ids);
  /// Returns an index without live rows to its initial state, but keeps its tuning.
  void reset();

  /// Approximates the k nearest of each query. ef = 0: the default effort. Long batches without a filter release the
  /// lock between chunks, so that a writer can run.
  void search(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
              Answer& answer) const;
  /// All rows within `radius` of each query, by brute force.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;
  /// The total costs of searching for `queries`.
  SearchCosts costs(const VectorsView& queries, std::size_t k, std::size_t ef, unsigned threads) const;

  /// Compacts: frees the memory of removed vectors and unused capacity. Makes every row reachable.
  void optimize();

  /// For a RecallEvaluator. The index must outlive it.
  EvaluatedIndex evaluated() const;
  Tuning tuning() const;
  void set_tuning(Tuning tuning);
  Promise promise() const { return tuning().promise; }
  /// The share of the rows that were added since the codes were trained.
  double untrained_share() const;
  /// The ef of a search for k that requests none.
  std::size_t default_effort(std::size_t k) const;
  /// Whether every search is exact because there is no graph.
  bool is_exact() const;
  /// The number of live rows that no path from the entry points reaches.
  std::size_t unreachable() const;

  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Hnsw> load(const FileReader& file);

 private:
  Hnsw(Rows rows, HnswGraph graph, const HnswSettings& settings);

  /// Searches validated queries under one read lock.
  void search_chunk(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
                    Answer& answer) const;
  void append(Records::Writer& writer, Change change, unsigned threads);
  /// Applies a change to rows, codes and graph; the added rows are not linked yet.
  void store_rows(Records::Writer& writer, Change& change, unsigned threads);
  /// Links all rows that are not linked yet; builds the graph if there is none.
  void link_new(Records::Writer& writer, unsigned threads);
  /// Links one batch by searches from the first `entry_count` entry points.
  void link(Records::Writer& writer, std::span<const Row> rows, unsigned threads, std::size_t entry_count);
  /// Links replaced rows again, and removes them from `replaced` as it goes.
  void relink_replaced(Records::Writer& writer, std::vector<Row>& replaced, unsigned threads);
  void relink_batch(Records::Writer& writer, std::span<const Row> replaced, unsigned threads);
  void train_codes(Records::Writer& writer, unsigned threads);
  void choose_entries(Records::Writer& writer);
  void apply(Records::Writer& writer, const EdgeUpdates& updates);
  /// Saves the neighbours of linked nodes before `updates` changes them for the first time.
  void back_up_edges(const EdgeUpdates& updates);
  /// Restores the saved neighbours and drops the backup.
  void restore_edges(Records::Writer& writer) noexcept;
  /// Makes every row reachable from the entry points.
  void repair_reachability(Records::Writer& writer, unsigned threads);
  /// Counts changed rows, and repairs reachability after many.
  void check_reachability(Records::Writer& writer, std::size_t changed, unsigned threads);
  void rollback(Records::Writer& writer, Row first) noexcept;
  void reset(Records::Writer& writer) noexcept;
  void compact(Records::Writer& writer, unsigned threads);
  /// Counts changed rows. After many changes, measures which effort keeps the promise; if it needs a large one because
  /// the codes were trained on other rows, retrains them and rebuilds the graph.
  void keep_promise(Records::Writer& writer, std::size_t changed, unsigned threads);
  void measure_promise(Records::Writer& writer, unsigned threads);
  /// Returns whether it retrained the codes and rebuilt the graph.
  bool retrain_if_stale(Records::Writer& writer, unsigned threads);

  // The callers of the following hold the lock.

  /// The requested ef, or if it is 0 the default one; exact_effort for an exact search.
  std::size_t resolved_ef(const Rows& rows, std::size_t k, std::size_t ef) const;
  /// The ef that finds enough admitted rows; nullopt if an exact search is cheaper.
  std::optional<std::size_t> widened_ef(const Rows& rows, std::size_t admitted_count, std::size_t ef) const;
  void search_rows(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t ef,
                   const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  /// See EvaluatedIndex::search.
  bool search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> put) const;

  const HnswSettings settings_;
  Records records_;
  HnswGraph graph_;
  Tuning tuning_;
  std::uint64_t version_ = 0;                // incremented by every change of rows
  bool has_extremes_ = false;                // some vectors cannot be measured by floats, so there is no graph
  bool are_underflowing_ = false;            // the squared norms of all vectors underflow, so there is no graph
  std::size_t changed_since_check_ = 0;      // rows changed since the last reachability check
  std::size_t rows_at_last_code_check_ = 0;  // number of rows at the last check of the codes
  struct EdgeBackup {
    RowFilter nodes;
    std::vector<EdgeUpdates> neighbors;  // the saved neighbours of each batch
  };
  std::optional<EdgeBackup> edge_backup_;  // exists while new rows are linked to old ones
  mutable ObjectPool<HnswScratch> scratch_pool_;
};

}  // namespace lookalike
