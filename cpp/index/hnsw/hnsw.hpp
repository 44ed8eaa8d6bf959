// Approximate search by walking a graph of near neighbours.
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
#include "index/core/pool_of.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "index/hnsw/graph.hpp"
#include "index/hnsw/search.hpp"
#include "index/hnsw/settings.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Vectors under ids in a graph. Every member may be called from several threads at once: readers share, a writer works
/// out beside them how the graph should change and puts that in place in small steps. New rows are stored at once, and
/// found when all rows of their addition are linked. A member that throws leaves the rows as they were, unless it is
/// interrupted while the graph catches up with rows that `upsert` has replaced or `remove` has removed: those stay so.
class Hnsw {
 public:
  static constexpr const char* kind = "hnsw";

  /// dim 0: taken from the first vectors. Throws InvalidArgument where the arguments do not go together.
  Hnsw(std::size_t dim, Metric metric, const HnswSettings& settings);

  const Records& records() const noexcept { return records_; }
  const HnswSettings& settings() const noexcept { return settings_; }
  /// What is walked over: what was asked for while there are no rows.
  Quantization quantization() const;
  std::size_t bytes() const;

  /// As for Flat.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  void add(const VectorsView& vectors, unsigned threads);
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  std::size_t remove(const IdsView& ids);
  /// Where it holds nothing: as it was made, whatever it held before; but what was tuned stays.
  void reset();

  /// About the k nearest of each query, by walks `ef` nodes wide; 0: the tuned or a usual width. A writer may come
  /// between the queries of a long batch.
  void search(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
              Answer& answer) const;
  /// Everything within `radius` of each query: every row is measured.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;
  /// What searching for `queries` costs, in total.
  SearchCosts costs(const VectorsView& queries, std::size_t k, std::size_t ef, unsigned threads) const;

  /// Gives back the memory of removed vectors and unused capacity, and links what cannot be reached.
  void optimize();

  /// For a RecallEvaluator. The index must outlive it.
  EvaluatedIndex evaluated() const;
  Tuning tuning() const;
  void set_tuning(Tuning tuning);
  Promise promise() const { return tuning().promise; }
  /// The share of the rows that came, or were replaced, since codes and lists were learned.
  double aged() const;
  /// How wide a search for k is when nothing else is asked for.
  std::size_t usual_effort(std::size_t k) const;
  /// Whether there is no graph yet, or none can be: every search measures all rows.
  bool is_exact() const;
  /// How many live rows no walk comes to.
  std::size_t unreachable() const;

  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Hnsw> load(const FileReader& file);

 private:
  Hnsw(Rows rows, HnswGraph graph, const HnswSettings& settings);

  /// For queries that were looked at, without a writer in between.
  void search_at_once(const VectorsView& queries, std::size_t k, std::size_t ef, const Where& where, unsigned threads,
                      Answer& answer) const;
  void append(Records::Writing& writing, Change change, unsigned threads);
  void place(Records::Writing& writing, Change& change, unsigned threads);
  void link_new(Records::Writing& writing, unsigned threads);
  void link(Records::Writing& writing, std::span<const Row> rows, unsigned threads, std::size_t entries);
  /// Takes out of `moved` what is linked anew.
  void relink(Records::Writing& writing, std::vector<Row>& moved, unsigned threads);
  void relink_batch(Records::Writing& writing, std::span<const Row> moved, unsigned threads);
  void relearn(Records::Writing& writing, unsigned threads);
  void choose_entries(Records::Writing& writing);
  void apply(Records::Writing& writing, const EdgeUpdates& rewiring);
  /// Keeps what neighbours the nodes that were linked have before they are rewired for the first time.
  void remember(const EdgeUpdates& rewiring);
  /// Gives them back, and forgets.
  void put_back(Records::Writing& writing) noexcept;
  void make_reachable(Records::Writing& writing, unsigned threads);
  void look_after_reach(Records::Writing& writing, std::size_t changed, unsigned threads);
  void rollback(Records::Writing& writing, Row first) noexcept;
  void reset(Records::Writing& writing) noexcept;
  void compact(Records::Writing& writing, unsigned threads);
  /// Counts rows that have changed, and measures anew what effort keeps the promise where many have. Where that does
  /// not suffice because codes were learned from other rows, learns them anew and builds the graph again.
  void keep_promise(Records::Writing& writing, std::size_t changed, unsigned threads);
  void measure_promise(Records::Writing& writing, unsigned threads);
  bool refit(Records::Writing& writing, unsigned threads);
  /// Under the lock.
  std::size_t width_for(const Rows& rows, std::size_t k, std::size_t ef) const;
  std::optional<std::size_t> walk_width(const Rows& rows, std::size_t passing, std::size_t width) const;
  void find(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t width,
            const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const;
  /// As a search goes, but for row `hidden[q]`, which is not there for query q. Under the lock; false, and nothing is
  /// searched, where all that pass would be measured.
  bool search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                     std::size_t effort, unsigned threads,
                     function_ref<void(std::size_t, std::span<const Neighbor>)> put) const;

  const HnswSettings settings_;
  Records records_;
  HnswGraph graph_;
  Tuning tuning_;
  std::uint64_t version_ = 0;    // counts changes of rows
  bool has_extremes_ = false;    // vectors that floats cannot measure: then there is no graph
  bool are_vanishing_ = false;   // the squares of all vectors: then there is none either
  std::size_t changed_ = 0;      // rows linked since all were seen to be reached
  std::size_t judged_over_ = 0;  // rows that codes were last judged by
  struct Memory {
    RowFilter nodes;
    std::vector<EdgeUpdates> neighbors;  // what each batch was the first to change
  };
  std::optional<Memory> before_;  // while rows are linked to those that were
  mutable PoolOf<HnswWorker> workers_;
};

}  // namespace lookalike
