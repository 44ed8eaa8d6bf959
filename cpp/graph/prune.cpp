#include "graph/prune.hpp"

#include <algorithm>

namespace lookalike {

std::span<const Row> Pruner::prune(const NodeMetric& metric, std::span<const Neighbor> candidates, std::size_t copies,
                                   std::size_t degree) {
  const std::size_t least = std::min(degree / 4, candidates.size());
  kept_.clear();
  dropped_.clear();
  for (const Neighbor& copy : candidates.first(copies)) kept_.push_back(copy.row);
  candidates = candidates.subspan(copies);
  std::size_t left = candidates.size();
  left_.resize(left);
  are_ruled_out_.assign(left, false);
  distances_.resize(left);
  between_.resize(left);
  for (std::size_t i = 0; i < left; ++i) {
    left_[i] = candidates[i].row;
    distances_[i] = candidates[i].distance;
  }
  // The nearest one left is kept, and rules out those behind it. Who is tolerated waits until nobody else is left.
  bool are_tolerated = false;
  while (left > 0) {
    const auto end = are_ruled_out_.begin() + static_cast<std::ptrdiff_t>(left);
    const auto place = std::find(are_ruled_out_.begin(), end, are_tolerated);
    if (place == end) {
      are_tolerated = true;
      continue;
    }
    const auto first = static_cast<std::size_t>(place - are_ruled_out_.begin());
    const Row nearest = left_[first];
    kept_.push_back(nearest);
    if (kept_.size() == degree) break;
    const Scorer scorer = metric.from(nearest, scorer_scratch_);
    scorer.measure(left_.data(), left, between_.data());
    std::size_t stay = 0;
    for (std::size_t i = 0; i < left; ++i) {
      if (i == first) continue;
      const float between = between_[i] + scorer.origin;
      const bool stays = metric.tolerance * between > distances_[i];
      if (!stays && dropped_.size() < least) dropped_.push_back(left_[i]);
      left_[stay] = left_[i];
      distances_[stay] = distances_[i];
      are_ruled_out_[stay] = are_ruled_out_[i] || !(between > distances_[i]);
      stay += stays;
    }
    left = stay;
  }
  for (std::size_t i = 0; i < dropped_.size() && kept_.size() < least; ++i) kept_.push_back(dropped_[i]);
  return kept_;
}

}  // namespace lookalike
