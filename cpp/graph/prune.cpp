#include "graph/prune.hpp"

#include <algorithm>

namespace lookalike {

std::span<const Row> Pruner::prune(const Space& space, std::span<const Neighbor> candidates, std::size_t copies,
                                   std::size_t degree) {
  const std::size_t least = std::min(degree / 4, candidates.size());
  kept_.clear();
  dropped_.clear();
  for (const Neighbor& copy : candidates.first(copies)) kept_.push_back(copy.row);
  candidates = candidates.subspan(copies);
  std::size_t left = candidates.size();
  left_.resize(left);
  distances_.resize(left);
  between_.resize(left);
  for (std::size_t i = 0; i < left; ++i) {
    left_[i] = candidates[i].row;
    distances_[i] = candidates[i].distance;
  }
  // The nearest one left is kept, and rules out those behind it.
  while (left > 0) {
    const Row nearest = left_[0];
    kept_.push_back(nearest);
    if (kept_.size() == degree) break;
    const Scorer scorer = space.from(nearest, scorer_space_);
    scorer.measure(left_.data() + 1, left - 1, between_.data());
    std::size_t stay = 0;
    for (std::size_t i = 1; i < left; ++i) {
      const bool stays = between_[i - 1] + scorer.origin > distances_[i];
      if (!stays && dropped_.size() < least) dropped_.push_back(left_[i]);
      left_[stay] = left_[i];
      distances_[stay] = distances_[i];
      stay += stays;
    }
    left = stay;
  }
  for (std::size_t i = 0; i < dropped_.size() && kept_.size() < least; ++i) kept_.push_back(dropped_[i]);
  return kept_;
}

}  // namespace lookalike
