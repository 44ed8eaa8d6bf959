// Queries answered from inverted lists: the nearest lists are scanned, and what is found there is measured by the kept
// vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "exact/parts.hpp"
#include "index/approx/kept_scorer.hpp"
#include "index/approx/rerank.hpp"
#include "index/ivf/lists.hpp"
#include "storage/mapped_file.hpp"
#include "topk/nearest_buffer.hpp"
#include "topk/neighbor.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// What is searched, and who may be found.
struct IvfTarget {
  const IvfLists& lists;
  MetricSpace space;
  const RowFilter* admitted;  // null: all rows
  const MappedFile* file;     // that the lists lie in; null where they are in memory
  /// Where few rows of some lists are admitted: how many of each, and how many are to be seen.
  std::span<const std::uint32_t> passing = {};
  std::size_t wanted = 0;
  std::size_t expected = 0;   // in the nearest lists; where there are far fewer, what passes lies elsewhere
  bool keeps_vectors = true;  // else what codes tell is the answer
};

/// What searches took: lists scanned, rows scanned in them, kept vectors measured, bytes of all of these.
struct IvfCosts {
  std::uint64_t lists = 0, distances = 0, reranked = 0, bytes = 0;
};

/// What one thread needs to search, used again and again.
class IvfSearch {
 public:
  /// The k nearest admitted rows in the `nprobe` lists nearest the query, nearest first, ties by row; fewer than k
  /// where those hold fewer, none where floats cannot measure the query. Valid until the next search.
  std::span<const Neighbor> one(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                                std::size_t k, std::size_t nprobe, Row hidden = no_row);

  /// The same for queries `first` to `last`, handed to `put` in order: a list near several is read once for all.
  void several(const IvfTarget& target, const PreparedQueries& queries, std::size_t first, std::size_t last,
               std::size_t k, std::size_t nprobe, function_ref<void(std::size_t query, std::span<const Neighbor>)> put);

  /// For every list, how many lists are nearer to a query.
  void rank_lists(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                  std::span<std::uint32_t> places);

  IvfCosts costs;  // bytes are left out

 private:
  /// A list chosen for a query. What the lists hold is numbered through, one list after the other, and `first` is the
  /// number of this one's first row: which row that is matters only for the few that are nearest.
  struct Chosen {
    Row list;
    std::uint32_t first;
  };
  /// A query on its way.
  struct QueryState {
    ListQuery query;
    std::vector<Chosen> lists;
    NearestBuffer pool;  // of numbers, see Chosen
    KeptScorer kept;
    double slope = 1, origin = 0;  // the metric's distance = slope * that between points + origin
  };
  /// A list to be scanned for a query.
  struct Visit {
    Row list;
    std::uint32_t asked, first;
    float offset;  // what the list's codes lack
  };

  /// Queries from `first` on, into as many of `asked`.
  void prepare(const IvfTarget& target, const PreparedQueries& queries, std::size_t first, std::span<QueryState> asked);
  /// All that takes as long for one query as for several: how it meets kept vectors, and where it lies.
  void prepare_one(const IvfTarget& target, const PreparedQueries& queries, std::size_t query, QueryState& asked);
  /// Begins with the lists to be scanned for a query, the nearest few first: `nprobe`, or as many as hold enough
  /// admitted rows.
  std::span<const Neighbor> choose_lists(const IvfTarget& target, QueryState& asked, std::size_t k, std::size_t nprobe);
  /// Has what is going to be read from the target's file read at once, not one after the other.
  void fetch_lists(const IvfTarget& target, std::span<const Neighbor> lists) const;
  void fetch_found(const IvfTarget& target) const;
  void scan(const IvfTarget& target, Row list, std::span<const Visit> visits, Row hidden);
  /// The same for `scanned_at_once` visits at most where lists have frames of their own.
  void scan_rows(const IvfTarget& target, Row list, std::span<const Visit> visits, Row hidden);
  void measure_codes(const IvfTarget& target, Row list, std::span<const Visit> visits, std::size_t first,
                     std::size_t count, Row hidden);
  void take(const IvfTarget& target, const Visit& visit, std::size_t first, std::size_t count, const float* distances,
            Row hidden);
  /// The rows behind the numbers in `found_`.
  void name_found(const IvfTarget& target, const QueryState& asked);
  std::span<const Neighbor> finish(const IvfTarget& target, std::size_t k, QueryState& asked);
  /// What was found by codes, at the distances these tell, in the order of answers.
  std::span<const Neighbor> told(const IvfTarget& target, const QueryState& asked);

  std::vector<QueryState> asked_;
  std::vector<Visit> visits_, of_list_;
  std::vector<std::uint64_t> by_list_;  // a list above the place of a visit to it
  std::vector<BlockQuery> block_queries_;
  std::vector<ListQuery> per_list_queries_;  // one a visit, where lists have frames of their own
  std::vector<ListQuery*> centered_;
  RankingScratch ranking_;
  Rerank rerank_;
  std::vector<float> floats_, point_, distances_;
  std::vector<std::uint32_t> positions_;
  std::vector<const Row*> rows_found_;
  std::vector<Neighbor> found_;
};

}  // namespace lookalike
