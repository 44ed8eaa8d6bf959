#include "cluster/balance.hpp"

#include <algorithm>
#include <numeric>
#include <queue>
#include <vector>

#include "cluster/exact_argmin.hpp"
#include "kernels/precise.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t moves_per_task = 64;

/// A possible move of a point, and the increase of its squared distance.
struct Move {
  double cost;
  Row point;
  std::uint32_t target;

  /// Makes a priority queue return the cheapest move first.
  bool operator<(const Move& other) const { return cost != other.cost ? cost > other.cost : point > other.point; }
};

class Overflow {
 public:
  Overflow(std::span<const float> points, std::size_t dim, std::span<const float> centroids, std::size_t capacity,
           std::span<std::uint32_t> labels)
      : points_(points),
        dim_(dim),
        centroids_(centroids),
        capacity_(capacity),
        labels_(labels),
        sizes_(centroids.size() / dim, 0) {
    for (const std::uint32_t label : labels) ++sizes_[label];
    find_open_clusters();
  }

  bool is_overfull(std::uint32_t cluster) const { return sizes_[cluster] > capacity_; }

  /// The cheapest move of a point, into the nearest cluster that is not full.
  Move cheapest_move(Row point, std::vector<float>& scratch) const {
    const float* const x = points_.data() + point * dim_;
    const std::uint32_t target = exact_argmin(x, centroids_.data(), dim_, open_clusters_, scratch).centroid;
    return {square(x, target) - square(x, labels_[point]), point, target};
  }

  /// Returns false if the target is full by now.
  bool apply(const Move& move) {
    if (sizes_[move.target] >= capacity_) return false;
    --sizes_[labels_[move.point]];
    labels_[move.point] = move.target;
    if (++sizes_[move.target] == capacity_) find_open_clusters();
    return true;
  }

 private:
  double square(const float* point, std::uint32_t centroid) const {
    const auto* const row = reinterpret_cast<const std::byte*>(centroids_.data() + centroid * dim_);
    return precise_distance(Metric::l2, point, row, Element::f32, dim_);
  }

  void find_open_clusters() {
    open_clusters_.clear();
    for (std::uint32_t c = 0; c < sizes_.size(); ++c)
      if (sizes_[c] < capacity_) open_clusters_.push_back(c);
  }

  std::span<const float> points_;
  std::size_t dim_;
  std::span<const float> centroids_;
  std::size_t capacity_;
  std::span<std::uint32_t> labels_;
  std::vector<std::size_t> sizes_;
  std::vector<Row> open_clusters_;
};

}  // namespace

std::size_t move_overflow(std::span<const float> points, std::size_t dim, std::span<const float> centroids,
                          std::size_t capacity, unsigned threads, std::span<std::uint32_t> labels) {
  Overflow overflow(points, dim, centroids, capacity, labels);
  std::vector<Move> moves;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (overflow.is_overfull(labels[i])) moves.push_back({0, static_cast<Row>(i), 0});
  parallel_for((moves.size() + moves_per_task - 1) / moves_per_task, threads, [&](std::size_t task, unsigned) {
    std::vector<float> scratch;
    const std::size_t last = std::min(moves.size(), (task + 1) * moves_per_task);
    for (std::size_t i = task * moves_per_task; i < last; ++i)
      moves[i] = overflow.cheapest_move(moves[i].point, scratch);
  });
  std::priority_queue<Move> queue(std::less<Move>(), std::move(moves));
  std::vector<float> scratch;
  std::size_t moved = 0;
  while (!queue.empty()) {
    poll_interrupt();
    const Move move = queue.top();
    queue.pop();
    if (!overflow.is_overfull(labels[move.point])) continue;
    if (overflow.apply(move))
      ++moved;
    else
      queue.push(overflow.cheapest_move(move.point, scratch));
  }
  return moved;
}

}  // namespace lookalike
