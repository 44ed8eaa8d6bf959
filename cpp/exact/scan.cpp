// Exact search for few queries: reads each stored row once per group of queries.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "exact/keys.hpp"
#include "exact/parts.hpp"
#include "kernels/table.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t block_rows = 512;    // the keys of a block fit the L1 cache
constexpr std::size_t group_queries = 16;  // queries that share a block while it is cached

/// Searches queries [first, last) in one pass over the rows.
class GroupScan {
 public:
  GroupScan(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t first,
            std::size_t last, std::size_t k)
      : target_(target), queries_(queries), subset_(subset), first_(first), count_(last - first), k_(k) {
    candidates_.resize_for_overwrite(count_ * CandidatePool::capacity_for(k));
    counts_.fill(0);
    limits_.fill(std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < count_; ++i) slacks_[i] = key_slack(target, queries, first + i);
  }

  void run(std::span<Neighbor> out) {
    const std::size_t rows = subset_.empty() ? target_.rows.count : subset_.size();
    for (std::size_t start = 0; start < rows; start += block_rows) {
      const std::size_t size = std::min(block_rows, rows - start);
      poll_interrupt();  // a single task may scan all rows
      for (std::size_t i = 0; i < count_; ++i) scan_block(i, start, size);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      poll_interrupt();
      write_k_nearest(pool(i).candidates(), slacks_[i], target_, queries_, first_ + i,
                      out.subspan((first_ + i) * k_, k_), scratch_);
    }
  }

 private:
  CandidatePool pool(std::size_t i) {
    return {candidates_.mutable_data() + i * CandidatePool::capacity_for(k_), counts_[i], limits_[i], k_};
  }

  void scan_block(std::size_t i, std::size_t start, std::size_t size) {
    std::array<float, block_rows> keys;
    std::array<std::uint32_t, block_rows> positions;
    block_keys(target_, queries_, first_ + i, subset_, start, size, keys.data());
    CandidatePool query_pool = pool(i);
    const std::size_t hit_count = kernels().find_not_above(keys.data(), size, query_pool.limit(), positions.data());
    for (std::size_t h = 0; h < hit_count; ++h) {
      const float key = keys[positions[h]];
      if (key > query_pool.limit()) continue;  // the limit may have dropped since
      const std::size_t position = start + positions[h];
      query_pool.push(key, subset_.empty() ? static_cast<Row>(position) : subset_[position]);
      if (query_pool.is_full()) shrink(i, query_pool);
    }
  }

  void shrink(std::size_t i, CandidatePool pool) {
    pool.tighten(slacks_[i]);
    if (pool.candidates().size() > CandidatePool::capacity_for(k_) - 16)
      keep_k_nearest(pool, target_, queries_, first_ + i, k_, scratch_);
  }

  const ExactTarget& target_;
  const PreparedQueries& queries_;
  const std::span<const Row> subset_;
  const std::size_t first_, count_, k_;
  Array<Candidate> candidates_;
  std::array<std::size_t, group_queries> counts_;
  std::array<float, group_queries> limits_;
  std::array<Slack, group_queries> slacks_;
  std::vector<PreciseNeighbor> scratch_;
};

}  // namespace

void scan_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t k,
                 unsigned threads, std::span<Neighbor> out) {
  const std::size_t workers = threads ? threads : available_threads();
  const std::size_t group = std::clamp<std::size_t>(queries.count() / (2 * workers), 1, queries_per_task(k));
  parallel_for((queries.count() + group - 1) / group, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * group, last = std::min(queries.count(), first + group);
    GroupScan(target, queries, subset, first, last, k).run(out);
  });
}

std::vector<std::vector<Neighbor>> exact_range(const ExactTarget& target, const VectorsView& vectors, float radius,
                                               unsigned threads) {
  const std::vector<Row> subset = admitted_rows(target);
  const std::size_t rows = target.admitted ? subset.size() : target.rows.count;
  const PreparedQueries queries(vectors, target.rows.element, target.metric, threads);
  std::vector<std::vector<Neighbor>> found(queries.count());
  if (rows == 0) return found;
  parallel_for(queries.count(), threads, [&](std::size_t query, unsigned) {
    const Slack slack = key_slack(target, queries, query);
    const PreciseScorer scorer = queries.scorer(query, target);
    // Converts the radius to a key: for cosine a key is -cosine * |query|, else it is the distance.
    const double norm = target.metric == Metric::cosine ? std::sqrt(queries.square(query)) : 1;
    const double scaled_radius = target.metric == Metric::cosine ? (radius - 1 + 1e-6) * norm : radius;
    const auto limit =
        static_cast<float>(scaled_radius + std::abs(scaled_radius) * (2 * slack.relative + 1e-6) + 2 * slack.query);
    std::array<float, block_rows> keys;
    std::array<std::uint32_t, block_rows> positions;
    std::vector<PreciseNeighbor> results;
    for (std::size_t start = 0; start < rows; start += block_rows) {
      const std::size_t size = std::min(block_rows, rows - start);
      poll_interrupt();
      block_keys(target, queries, query, subset, start, size, keys.data());
      const std::size_t hit_count = kernels().find_not_above(keys.data(), size, limit, positions.data());
      for (std::size_t h = 0; h < hit_count; ++h) {
        const std::size_t position = start + positions[h];
        const Row row = subset.empty() ? static_cast<Row>(position) : subset[position];
        const double distance = scorer.distance(row);
        if (static_cast<float>(distance) <= radius) results.push_back({distance, row});
      }
    }
    std::sort(results.begin(), results.end());
    for (const PreciseNeighbor& result : results)
      found[query].push_back({result.row, static_cast<float>(result.distance)});
  });
  return found;
}

}  // namespace lookalike
