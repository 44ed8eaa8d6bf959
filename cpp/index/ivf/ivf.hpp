// Approximate search by inverted lists: rows are grouped affected centroids, and the groups nearest a query are
// scanned.
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
#include "index/core/pool_of.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "index/ivf/lists.hpp"
#include "index/ivf/search.hpp"
#include "index/ivf/settings.hpp"
#include "storage/file.hpp"
#include "storage/mapped_file.hpp"

namespace lookalike {

/// Vectors under ids in lists. Every member may be called from several threads at once: readers share, a writer works
/// out beside them how lists should change and puts that in place at once. New rows are stored at once, and found when
/// all rows of their addition are listed; an addition that throws leaves everything as it was.
class Ivf {
 public:
  static constexpr const char* kind = "ivf";

  /// dim 0: taken from the first vectors. Throws InvalidArgument where the arguments do not go together.
  Ivf(std::size_t dim, Metric metric, const IvfSettings& settings);

  const Records& records() const noexcept { return records_; }
  const IvfSettings& settings() const noexcept { return settings_; }
  /// What is scanned: what was asked for while there are no rows.
  Quantization scanned_codes() const;
  /// Lists there are: none while rows are few.
  std::size_t list_count() const;
  /// Rows in the longest of them, removed ones that still take room included.
  std::size_t longest_list() const;
  std::size_t bytes() const;

  /// As for Flat.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  void add(const VectorsView& vectors, unsigned threads);
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  std::size_t remove(const IdsView& ids);
  /// Where it holds nothing: as it was made, whatever it held before; but what was tuned stays.
  void reset();

  /// About the k nearest of each query, from the `nprobe` lists nearest it; 0: the tuned or a usual number.
  void search(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where, unsigned threads,
              Answer& answer) const;
  /// Everything within `radius` of each query: every row is measured.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;
  /// What searching for `queries` costs, in total.
  IvfCosts costs(const VectorsView& queries, std::size_t k, std::size_t nprobe, unsigned threads) const;

  /// Gives back the memory of removed vectors and unused capacity.
  void optimize();

  /// For a RecallEvaluator. The index must outlive it.
  EvaluatedIndex evaluated() const;
  Tuning tuning() const;
  void set_tuning(Tuning tuning);
  Promise promise() const { return tuning().promise; }
  /// The share of the rows that came, or were replaced, since codes and lists were learned.
  double aged() const;
  /// How many lists a search for k scans when nothing else is asked for.
  std::size_t usual_effort(std::size_t k) const;
  /// Whether there are no lists yet, or none can be: every search measures all rows.
  bool is_exact() const;
  /// How many live rows stand in no list where there are some: those that are just being added.
  std::size_t unreachable() const;

  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Ivf> load(const FileReader& file);
  /// Sections of a mapped file that searches read as they need them.
  static bool reads_as_needed(std::string_view section);
  /// Reads what was not read yet of the file the index is mapped from. Throws CorruptFile. Every change does so first,
  /// and saving too.
  void verify() const;

 private:
  friend class IvfBuild;
  Ivf(Rows rows, IvfLists lists, const IvfSettings& settings);

  void append(Records::Writing& writing, Change change, unsigned threads);
  void place(Records::Writing& writing, Change& change, unsigned threads);
  void list_new(Records::Writing& writing, double largest_norm, unsigned threads);
  void relist(Records::Writing& writing, std::span<const Row> moved, Change& change, unsigned threads);
  /// Puts rows into the lists they belong to, once `before` has been applied, and splits those that get too long.
  /// `replacements`: null where none of them are replaced.
  void enlist(Records::Writing& writing, std::vector<Row> rows, IvfLists::Changes before, Change* replacements,
              std::size_t listed, unsigned threads);
  void learn(Records::Writing& writing, double largest_norm, unsigned threads, std::optional<Frame> frame = {});
  void compact(Records::Writing& writing);
  /// Counts rows that have changed, and measures anew what effort keeps the promise where many have; where that is much
  /// because lists were learned from other rows, learns them anew.
  void keep_promise(Records::Writing& writing, std::size_t changed, unsigned threads);
  /// What effort keeps it now, searched for in the writer's seat.
  Promise measured_promise(unsigned threads) const;
  /// The number of lists, `least` or more, that hold the wanted share of the true neighbours: no search with fewer
  /// finds them.
  std::size_t probes_that_hold(const RecallEvaluator& evaluator, float wanted, std::size_t least,
                               unsigned threads) const;
  /// In the writer's seat.
  void require_verified() const;
  void reset(Records::Writing& writing) noexcept;
  /// Fewer rows than this are searched exactly.
  std::size_t fewest_listed() const noexcept { return std::max<std::size_t>(1024, settings_.nlist); }
  /// Under Metric::ip: than so many times all that lists were learned from.
  bool is_longer(double norm, double times) const noexcept;
  /// Under the lock.
  bool has_lists_for(const Rows& rows) const noexcept;
  std::size_t probes_for(const Rows& rows, std::size_t k, std::size_t nprobe) const;
  std::optional<std::size_t> probes(const Rows& rows, std::size_t passing, std::size_t k, std::size_t nprobe) const;
  void search_at_once(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where,
                      unsigned threads, Answer& answer) const;
  void find(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t nprobe,
            const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  void find_exactly(const Rows& rows, const VectorsView& queries, std::size_t k,
                    const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  /// As a search goes, but for row `hidden[q]`, which is not there for query q. Under the lock; false, and nothing is
  /// searched, where all that pass would be measured.
  bool search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> put) const;

  const IvfSettings settings_;
  Records records_;
  IvfLists lists_;
  Tuning tuning_;
  std::uint64_t version_ = 0;                     // counts changes of rows
  bool has_extremes_ = false;                     // vectors that floats cannot measure: then there are no lists
  bool are_vanishing_ = false;                    // the squares of all vectors: then there are none either
  std::weak_ptr<const MappedFile> file_;          // that rows and lists may lie in
  mutable std::optional<FileReader> unverified_;  // the same, until it was read whole
  mutable PoolOf<IvfSearch> workers_;
};

}  // namespace lookalike
