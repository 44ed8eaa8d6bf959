#include "indexes/rerank.hpp"

#include <algorithm>
#include <cmath>

namespace lookalike {
namespace {

/// How far codes are from the truth, learned from what was measured so far: the truth is slope * code + offset, give
/// or take a deviation.
class CodeError {
 public:
  /// The largest of `count` normally distributed errors is rarely beyond sqrt(2 ln count) deviations. A little more,
  /// because the deviation is guessed from few.
  CodeError(double slope, std::size_t count)
      : slope_(slope), most_deviations_(std::sqrt(2 * std::log(static_cast<double>(count))) + 0.25) {}
  void see(float code, double truth) {
    const double error = truth - slope_ * code, before = error - mean_;
    mean_ += before / ++count_;
    squares_ += before * (error - mean_);
  }
  /// What the truth behind a code hardly ever goes below.
  double least(float code) const { return slope_ * code + mean_ - most_deviations_ * std::sqrt(squares_ / count_); }

 private:
  double slope_, most_deviations_, mean_ = 0, squares_ = 0;
  double count_ = 0;
};

}  // namespace

double slope_of(const Plane& plane, double square) {
  if (plane.metric == Metric::cosine) return 0.5;
  if (plane.metric != Metric::ip) return 1;
  return plane.length > 0 ? std::sqrt(square) / (2 * double{plane.length}) : 0;
}

double origin_of(const Plane& plane, std::span<const float> point, double slope) {
  if (plane.metric != Metric::cosine && plane.metric != Metric::ip) return 0;
  double square = 0;  // of the point, which is as long as rows are, or nothing
  for (std::size_t d = 0; d < plane.rows.dim; ++d) square += double{point[d]} * point[d];
  if (plane.metric == Metric::cosine) return 1 - slope * (square + 1);
  return -slope * (square + double{plane.length} * plane.length);
}

std::span<const Neighbor> finite(std::span<const Neighbor> found) {
  const auto is_finite = [](const Neighbor& neighbor) { return std::isfinite(neighbor.distance); };
  return std::all_of(found.begin(), found.end(), is_finite) ? found : std::span<const Neighbor>();
}

std::span<const Neighbor> Rerank::nearest(const PreciseScorer& exact, std::span<const Neighbor> coarse, std::size_t k,
                                          double slope) {
  constexpr std::size_t together = 8;
  CodeError error(slope, coarse.size());
  nearest_.clear();
  rows_.clear();
  for (const Neighbor& one : coarse) rows_.push_back(one.row);
  for (std::size_t i = 0; i < std::min(together / 2, coarse.size()); ++i) exact.prefetch(rows_[i]);
  for (std::size_t i = 0; i < coarse.size(); i += together) {
    if (i >= k && i >= 2 * together && error.least(coarse[i].distance) > nearest_.back().distance) break;
    const std::size_t count = std::min(together, coarse.size() - i);
    double distances[together];
    exact.measure(rows_.data() + i, count, std::min(together, coarse.size() - i - count), distances);
    measured += count;
    for (std::size_t j = 0; j < count; ++j) {
      // What is read from a file that was not verified may be no number, which no order has a place for.
      if (std::isnan(distances[j])) distances[j] = infinity;
      error.see(coarse[i + j].distance, distances[j]);
      put({distances[j], rows_[i + j]}, k);
    }
  }
  found_.clear();
  for (const Measured& one : nearest_) found_.push_back({one.row, static_cast<float>(one.distance)});
  return finite(found_);
}

void Rerank::put(Measured one, std::size_t k) {
  if (nearest_.size() == k) {
    if (!(one < nearest_.back())) return;
    nearest_.pop_back();
  }
  nearest_.insert(std::upper_bound(nearest_.begin(), nearest_.end(), one), one);
}

}  // namespace lookalike
