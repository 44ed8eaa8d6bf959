// IVF: approximate search by inverted lists. Each row is in the list of its nearest centroid; a search scans the lists
// whose centroids are nearest to the query.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "index/approx/tuning.hpp"
#include "index/core/answer.hpp"
#include "index/core/object_pool.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "index/ivf/lists.hpp"
#include "index/ivf/search.hpp"
#include "index/ivf/settings.hpp"
#include "storage/file.hpp"
#include "storage/mapped_file.hpp"

namespace lookalike {

/// Every member may be called from several threads at once. A writer prepares changes of lists while readers continue,
/// and then swaps them in under the exclusive lock. The rows of one addition become searchable together, when all of
/// them are listed. An addition that throws has no effect.
class Ivf {
 public:
  static constexpr const char* kind = "ivf";

  /// dim 0: taken from the first vectors. Throws InvalidArgument if the arguments contradict each other.
  Ivf(std::size_t dim, Metric metric, const IvfSettings& settings);

  const Records& records() const noexcept { return records_; }
  const IvfSettings& settings() const noexcept { return settings_; }
  /// The quantization that searches scan; the requested one while there are no rows.
  Quantization scanned_codes() const;
  /// The number of lists; 0 while there are few rows.
  std::size_t list_count() const;
  /// Rows in the longest list, tombstones included.
  std::size_t longest_list() const;
  std::size_t bytes() const;

  // See Flat for the contracts of these four.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  void add(const VectorsView& vectors, unsigned threads);
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  std::size_t remove(const IdsView& ids);
  /// If no row is live, returns to the state after construction, except that tuning is kept. Otherwise does nothing.
  void reset();

  /// Approximately the k nearest rows of each query, from its `nprobe` nearest lists; 0: the tuned or default number.
  void search(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where, unsigned threads,
              Answer& answer) const;
  /// All rows within `radius` of each query. The search is exact.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;
  /// The total costs of searching for `queries`.
  IvfCosts costs(const VectorsView& queries, std::size_t k, std::size_t nprobe, unsigned threads) const;

  /// Frees the memory of removed rows and unused capacity, and retrains lists if many rows have changed.
  void optimize();

  /// For a RecallEvaluator, which the index must outlive.
  EvaluatedIndex evaluated() const;
  Tuning tuning() const;
  void set_tuning(Tuning tuning);
  Promise promise() const { return tuning().promise; }
  /// The share of rows that were added or replaced since training.
  double untrained_share() const;
  /// The number of lists that a search for k scans if no nprobe is requested.
  std::size_t default_effort(std::size_t k) const;
  /// Whether there are no lists, so that every search measures all rows.
  bool is_exact() const;
  /// The number of live rows that are in no list although lists exist: rows that are just being added.
  std::size_t unreachable() const;

  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Ivf> load(const FileReader& file);
  /// Whether searches read this section of a mapped file on demand.
  static bool defers_section(std::string_view section);
  /// Verifies the sections of a mapped file that have not been read yet. Throws CorruptFile. Changes and saving call
  /// this first.
  void verify() const;

 private:
  friend class IvfBuild;
  Ivf(Rows rows, IvfLists lists, const IvfSettings& settings);

  // Adding rows stores them (store_rows), then adds them to lists or trains lists (list_new_rows).
  void append(Records::Writer& writer, Change change, unsigned threads);
  void store_rows(Records::Writer& writer, Change& change, unsigned threads);
  void list_new_rows(Records::Writer& writer, double largest_norm, unsigned threads);
  void relist_replaced(Records::Writer& writer, std::span<const Row> replaced, Change& change, unsigned threads);
  /// Adds rows to their nearest lists after applying `pending`, and splits lists that grow too long. `replacements`:
  /// null unless the rows are replaced ones.
  void assign_to_lists(Records::Writer& writer, std::vector<Row> rows, IvfLists::Changes pending, Change* replacements,
                       std::size_t listed, unsigned threads);
  void train(Records::Writer& writer, double largest_norm, unsigned threads, std::optional<Frame> frame = {});
  void compact(Records::Writer& writer);
  /// Counts changed rows. After many changes, measures which effort keeps the promise; if it needs a large one because
  /// lists were trained on other rows, retrains them.
  void keep_promise(Records::Writer& writer, std::size_t changed, unsigned threads);
  /// The promise with the effort that keeps it now. The caller holds the writer mutex.
  Promise measured_promise(unsigned threads) const;
  /// The smallest nprobe, at least `min_nprobe`, whose lists contain the target share of the true neighbours. It is a
  /// lower bound on the nprobe that reaches this recall.
  std::size_t nprobe_covering(const RecallEvaluator& evaluator, float target_recall, std::size_t min_nprobe,
                              unsigned threads) const;
  /// The caller holds the writer mutex.
  void require_verified() const;
  void reset(Records::Writer& writer) noexcept;
  /// An index with fewer rows than this is searched exactly.
  std::size_t min_rows_to_list() const noexcept { return std::max<std::size_t>(1024, settings_.nlist); }
  /// For Metric::ip: whether `norm` exceeds `times` the largest norm that lists were trained on.
  bool exceeds_training_norm(double norm, double times) const noexcept;
  // The callers of the following hold the lock.
  bool has_lists_for(const Rows& rows) const noexcept;
  /// The requested nprobe, or if it is 0 the default one; exact_effort for an exact search.
  std::size_t resolved_nprobe(const Rows& rows, std::size_t k, std::size_t nprobe) const;
  /// The number of lists to probe with a filter, or nullopt if exact search is cheaper.
  std::optional<std::size_t> widened_nprobe(const Rows& rows, std::size_t admitted_count, std::size_t k,
                                            std::size_t nprobe) const;
  void search_chunk(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where, unsigned threads,
                    Answer& answer) const;
  void search_rows(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t nprobe,
                   const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  void search_exactly(const Rows& rows, const VectorsView& queries, std::size_t k,
                      const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  /// See EvaluatedIndex::search.
  bool search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> emit) const;

  const IvfSettings settings_;
  Records records_;
  IvfLists lists_;
  Tuning tuning_;
  std::uint64_t version_ = 0;                     // incremented by every change of rows
  bool has_extremes_ = false;                     // some vectors cannot be measured by floats, so there are no lists
  bool are_underflowing_ = false;                 // the squared norms of all vectors underflow, so there are no lists
  std::weak_ptr<const MappedFile> file_;          // the mapped file that holds rows and lists, if any
  mutable std::optional<FileReader> unverified_;  // the same file, until it is verified
  mutable ObjectPool<IvfSearch> workers_;
};

}  // namespace lookalike
