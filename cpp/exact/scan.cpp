// Few queries: every row is read once for a group of them, straight from where it is stored.
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

constexpr std::size_t block_rows = 512;    // distances of a block stay in the first cache
constexpr std::size_t group_queries = 16;  // queries that share a block while it is in cache

/// Searches for queries [first, last) together.
class GroupScan {
 public:
  GroupScan(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t first,
            std::size_t last, std::size_t k)
      : target_(target), queries_(queries), picks_(picks), first_(first), count_(last - first), k_(k) {
    held_.resize_for_overwrite(count_ * CandidatePool::capacity_for(k));
    counts_.fill(0);
    limits_.fill(std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < count_; ++i) slack_[i] = key_slack(target, queries, first + i);
  }

  void run(std::span<Neighbor> out) {
    const std::size_t rows = picks_.empty() ? target_.rows.count : picks_.size();
    for (std::size_t start = 0; start < rows; start += block_rows) {
      const std::size_t size = std::min(block_rows, rows - start);
      poll_interrupt();  // a task may be all the rows there are
      for (std::size_t i = 0; i < count_; ++i) take_block(i, start, size);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      poll_interrupt();
      finish(pool(i).held(), slack_[i], target_, queries_, first_ + i, out.subspan((first_ + i) * k_, k_), scratch_);
    }
  }

 private:
  CandidatePool pool(std::size_t i) {
    return {held_.mutable_data() + i * CandidatePool::capacity_for(k_), counts_[i], limits_[i], k_};
  }

  void take_block(std::size_t i, std::size_t start, std::size_t size) {
    std::array<float, block_rows> keys;
    std::array<std::uint32_t, block_rows> found;
    block_keys(target_, queries_, first_ + i, picks_, start, size, keys.data());
    CandidatePool held = pool(i);
    const std::size_t hits = kernels().find_not_above(keys.data(), size, held.limit(), found.data());
    for (std::size_t h = 0; h < hits; ++h) {
      const float key = keys[found[h]];
      if (key > held.limit()) continue;  // the limit may have fallen since
      const std::size_t place = start + found[h];
      held.push(key, picks_.empty() ? static_cast<Row>(place) : picks_[place]);
      if (held.is_full()) make_room(i, held);
    }
  }

  void make_room(std::size_t i, CandidatePool held) {
    held.tighten(slack_[i]);
    if (held.held().size() > CandidatePool::capacity_for(k_) - 16)
      exact_argmin(held, target_, queries_, first_ + i, k_, scratch_);
  }

  const ExactTarget& target_;
  const PreparedQueries& queries_;
  const std::span<const Row> picks_;
  const std::size_t first_, count_, k_;
  Array<Candidate> held_;
  std::array<std::size_t, group_queries> counts_;
  std::array<float, group_queries> limits_;
  std::array<Slack, group_queries> slack_;
  std::vector<Measured> scratch_;
};

}  // namespace

void scan_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t k,
                 unsigned threads, std::span<Neighbor> out) {
  const std::size_t workers = threads ? threads : available_threads();
  const std::size_t group = std::clamp<std::size_t>(queries.count() / (2 * workers), 1, finished_together(k));
  parallel_for((queries.count() + group - 1) / group, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * group, last = std::min(queries.count(), first + group);
    GroupScan(target, queries, picks, first, last, k).run(out);
  });
}

std::vector<std::vector<Neighbor>> exact_range(const ExactTarget& target, const VectorsView& vectors, float radius,
                                               unsigned threads) {
  const std::vector<Row> picks = admitted_rows(target);
  const std::size_t rows = target.admitted ? picks.size() : target.rows.count;
  const PreparedQueries queries(vectors, target.rows.element, target.metric, threads);
  std::vector<std::vector<Neighbor>> found(queries.count());
  if (rows == 0) return found;
  parallel_for(queries.count(), threads, [&](std::size_t query, unsigned) {
    const Slack slack = key_slack(target, queries, query);
    const PreciseScorer scorer = queries.scorer(query, target);
    // Cosine keys are -cosine * |query|; the others are the distances themselves.
    const double norm = target.metric == Metric::cosine ? std::sqrt(queries.square(query)) : 1;
    const double edge = target.metric == Metric::cosine ? (radius - 1 + 1e-6) * norm : radius;
    const auto limit = static_cast<float>(edge + std::abs(edge) * (2 * slack.relative + 1e-6) + 2 * slack.query);
    std::array<float, block_rows> keys;
    std::array<std::uint32_t, block_rows> places;
    std::vector<Measured> measured;
    for (std::size_t start = 0; start < rows; start += block_rows) {
      const std::size_t size = std::min(block_rows, rows - start);
      poll_interrupt();
      block_keys(target, queries, query, picks, start, size, keys.data());
      const std::size_t hits = kernels().find_not_above(keys.data(), size, limit, places.data());
      for (std::size_t h = 0; h < hits; ++h) {
        const std::size_t place = start + places[h];
        const Row row = picks.empty() ? static_cast<Row>(place) : picks[place];
        const double distance = scorer.distance(row);
        if (static_cast<float>(distance) <= radius) measured.push_back({distance, row});
      }
    }
    std::sort(measured.begin(), measured.end());
    for (const Measured& m : measured) found[query].push_back({m.row, static_cast<float>(m.distance)});
  });
  return found;
}

}  // namespace lookalike
