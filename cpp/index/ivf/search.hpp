// IVF search: scans the inverted lists nearest to a query and reranks the best candidates by the stored vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "exact/parts.hpp"
#include "index/approx/rerank.hpp"
#include "index/approx/rerank_scorer.hpp"
#include "index/ivf/lists.hpp"
#include "storage/mapped_file.hpp"
#include "topk/nearest_buffer.hpp"
#include "topk/neighbor.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// What to search, and which rows the filter admits.
struct IvfTarget {
  const IvfLists& lists;
  MetricSpace space;
  const RowFilter* admitted;  // null: all rows
  const MappedFile* file;     // the file that holds the lists; null if they are in memory
  // For a filtered search, else empty and 0:
  std::span<const std::uint32_t> admitted_per_list = {};
  std::size_t min_admitted = 0;       // scan lists until they hold so many admitted rows
  std::size_t expected_admitted = 0;  // in the nprobe nearest lists; with less than half of it, no list is scanned
  bool keeps_vectors = true;          // otherwise the estimated distances are returned
};

/// Costs of searches: lists scanned, rows scanned, vectors reranked, bytes read.
struct IvfCosts {
  std::uint64_t lists = 0, distances = 0, reranked = 0, bytes = 0;
};

/// Searches on one thread, reusing its buffers.
class IvfSearch {
 public:
  /// The k nearest admitted rows in the `nprobe` nearest lists, nearest first, ties by row. Returns fewer than k rows
  /// if the lists hold fewer, and none if floats cannot measure the query. Never returns row `hidden`. Valid until the
  /// next search.
  std::span<const Neighbor> search(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                                   std::size_t k, std::size_t nprobe, Row hidden = no_row);

  /// The same for queries `first` to `last` (exclusive). Each list is scanned once for all queries that probe it. Calls
  /// `emit` for each query in order.
  void search_batch(const IvfTarget& target, const PreparedQueries& queries, std::size_t first, std::size_t last,
                    std::size_t k, std::size_t nprobe,
                    function_ref<void(std::size_t query, std::span<const Neighbor>)> emit);

  /// Writes the rank of every list by its distance to a query, 0 for the nearest.
  void rank_lists(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                  std::span<std::uint32_t> ranks);

  IvfCosts costs;  // without bytes

 private:
  /// A list that a query probes. The rows of all its probed lists are numbered consecutively; `first` is the position
  /// of the first row of this list. Candidates are kept by position, and only the final ones are resolved to rows.
  struct ProbedList {
    Row list;
    std::uint32_t first;
  };
  /// A query that is being searched.
  struct QueryState {
    ListQuery query;
    std::vector<ProbedList> lists;
    NearestBuffer pool;  // holds positions, see ProbedList
    RerankScorer scorer;
    double slope = 1, intercept = 0;  // metric's distance = slope * (squared L2 distance of points) + intercept
  };
  /// A list to scan for a query.
  struct Probe {
    Row list;
    std::uint32_t query, first;  // the query's index in states_; see ProbedList
    float offset;                // to add to distances estimated from the list's codes
  };

  /// Prepares the queries from `first` on, one per element of `states`.
  void prepare(const IvfTarget& target, const PreparedQueries& queries, std::size_t first,
               std::span<QueryState> states);
  /// Prepares everything but the projection, which is faster for several queries at once.
  void prepare_query(const IvfTarget& target, const PreparedQueries& queries, std::size_t query, QueryState& state);
  /// Selects the lists to scan for a query and resets its pool. There are `nprobe` lists, or as many as hold enough
  /// admitted rows; the nearest few come first.
  std::span<const Neighbor> select_lists(const IvfTarget& target, QueryState& state, std::size_t k, std::size_t nprobe);
  // Start reading from the target's file ahead of use, so that the reads overlap.
  void prefetch_lists(const IvfTarget& target, std::span<const Neighbor> lists) const;
  void prefetch_vectors(const IvfTarget& target) const;
  /// Scans one list for all queries that probe it.
  void scan_list(const IvfTarget& target, Row list, std::span<const Probe> probes, Row hidden);
  /// The same; with a frame per list, for at most `queries_per_scan` probes, which have been prepared.
  void scan_rows(const IvfTarget& target, Row list, std::span<const Probe> probes, Row hidden);
  void scan_codes(const IvfTarget& target, Row list, std::span<const Probe> probes, std::size_t first,
                  std::size_t count, Row hidden);
  /// Adds admitted rows of a scanned range to the query's pool.
  void collect(const IvfTarget& target, const Probe& probe, std::size_t first, std::size_t count,
               const float* distances, Row hidden);
  /// Replaces positions in `found_` by rows.
  void resolve_rows(const IvfTarget& target, const QueryState& state);
  std::span<const Neighbor> finish(const IvfTarget& target, std::size_t k, QueryState& state);
  /// Turns the estimated distances in `found_` into the metric's distances and sorts them.
  std::span<const Neighbor> estimated_results(const IvfTarget& target, const QueryState& state);

  std::vector<QueryState> states_;
  std::vector<Probe> probes_, list_probes_;   // of a batch; of its current list
  std::vector<std::uint64_t> sorted_probes_;  // list number << 32 | index of the probe
  std::vector<BlockQuery> block_queries_;
  std::vector<ListQuery> per_list_queries_;  // one per probe; Frame::per_list only
  std::vector<ListQuery*> centered_;
  RankingScratch ranking_;
  Reranker reranker_;
  std::vector<float> floats_, point_, distances_;
  std::vector<std::uint32_t> positions_;  // of scanned rows within the pool's limit
  std::vector<const Row*> row_locations_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
