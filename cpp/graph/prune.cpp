#include "graph/prune.hpp"

#include <algorithm>

namespace lookalike {

std::span<const Row> Pruner::prune(const NodeMetric& metric, std::span<const Neighbor> candidates, std::size_t copies,
                                   std::size_t degree) {
  const std::size_t min_kept = std::min(degree / 4, candidates.size());
  kept_.clear();
  pruned_.clear();
  for (const Neighbor& copy : candidates.first(copies)) kept_.push_back(copy.row);
  candidates = candidates.subspan(copies);
  std::size_t count = candidates.size();
  remaining_.resize(count);
  is_tolerated_.assign(count, false);
  distances_.resize(count);
  distances_from_kept_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    remaining_[i] = candidates[i].row;
    distances_[i] = candidates[i].distance;
  }
  // Each turn keeps the nearest remaining candidate and prunes the others by it. Candidates that were pruned within the
  // tolerance wait until no others remain.
  bool takes_tolerated = false;
  while (count > 0) {
    const auto end = is_tolerated_.begin() + static_cast<std::ptrdiff_t>(count);
    const auto found = std::find(is_tolerated_.begin(), end, takes_tolerated);
    if (found == end) {
      takes_tolerated = true;
      continue;
    }
    const auto kept = static_cast<std::size_t>(found - is_tolerated_.begin());
    const Row nearest = remaining_[kept];
    kept_.push_back(nearest);
    if (kept_.size() == degree) break;
    const Scorer scorer = metric.from(nearest, scorer_scratch_);
    scorer.measure(remaining_.data(), count, distances_from_kept_.data());
    std::size_t next_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (i == kept) continue;
      const float distance = distances_from_kept_[i] + scorer.offset;
      const bool remains = metric.tolerance * distance > distances_[i];
      if (!remains && pruned_.size() < min_kept) pruned_.push_back(remaining_[i]);
      remaining_[next_count] = remaining_[i];
      distances_[next_count] = distances_[i];
      is_tolerated_[next_count] = is_tolerated_[i] || !(distance > distances_[i]);
      next_count += remains;
    }
    count = next_count;
  }
  for (std::size_t i = 0; i < pruned_.size() && kept_.size() < min_kept; ++i) kept_.push_back(pruned_[i]);
  return kept_;
}

}  // namespace lookalike
