#include "index/approx/rerank.hpp"

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
  /// What the truth behind a code hardly ever goes below. The rows seen first have the smallest codes and so deviate
  /// less than others: while they are few, twice as much is expected of the rest.
  double least(float code) const {
    constexpr double few = 24;
    const double deviations = (count_ < few ? 2 : 1) * most_deviations_;
    return slope_ * code + mean_ - deviations * std::sqrt(squares_ / count_);
  }

 private:
  double slope_, most_deviations_, mean_ = 0, squares_ = 0;
  double count_ = 0;
};

/// What is read from a file that was not verified may be no number, which no order has a place for.
template <class Number>
Number number_or_infinity(Number x) {
  return std::isnan(x) ? Number{infinity} : x;
}

}  // namespace

double slope_of(const MetricSpace& space, double square) {
  if (space.metric == Metric::cosine) return 0.5;
  if (space.metric != Metric::ip) return 1;
  return space.length > 0 ? std::sqrt(square) / (2 * double{space.length}) : 0;
}

double origin_of(const MetricSpace& space, std::span<const float> point, double slope) {
  if (space.metric != Metric::cosine && space.metric != Metric::ip) return 0;
  double square = 0;  // of the point, which is as long as rows are, or nothing
  for (std::size_t d = 0; d < space.rows.dim; ++d) square += double{point[d]} * point[d];
  if (space.metric == Metric::cosine) return 1 - slope * (square + 1);
  return -slope * (square + double{space.length} * space.length);
}

std::span<const Neighbor> finite(std::span<const Neighbor> found) {
  const auto is_finite = [](const Neighbor& neighbor) { return std::isfinite(neighbor.distance); };
  return std::all_of(found.begin(), found.end(), is_finite) ? found : std::span<const Neighbor>();
}

std::span<const Neighbor> Rerank::nearest(const KeptScorer& kept, std::span<const Neighbor> coarse, std::size_t k,
                                          double slope) {
  // So few are measured exactly, each while memory brings the next, as soon as floats would rule some out.
  constexpr std::size_t few = 3 * together;
  CodeError error(slope, coarse.size());
  k_ = k;
  nearest_.clear();
  rows_.clear();
  for (const Neighbor& one : coarse) rows_.push_back(one.row);
  for (std::size_t i = 0; i < std::min(together / 2, coarse.size()); ++i) kept.exact.prefetch(rows_[i]);
  for (std::size_t i = 0; i < coarse.size(); i += together) {
    if (i >= k && i >= 2 * together && error.least(coarse[i].distance) > nearest_.back().distance) break;
    const std::size_t count = std::min(together, coarse.size() - i);
    Row* const rows = rows_.data() + i;
    measured += count;
    double distances[together];
    if (i < std::max(k, few)) {
      measure(kept.exact, rows, count, std::min(together, coarse.size() - i - count), distances);
      for (std::size_t j = 0; j < count; ++j) error.see(coarse[i + j].distance, distances[j]);
      continue;
    }
    // Most of these are not among the nearest, which floats tell sooner.
    float told[together];
    kept.floats.measure(rows, count, told);
    std::size_t near = 0;
    for (std::size_t j = 0; j < count; ++j) {
      error.see(coarse[i + j].distance, number_or_infinity(told[j]));
      if (!(kept.least(told[j]) > nearest_.back().distance)) rows[near++] = rows[j];
    }
    measure(kept.exact, rows, near, 0, distances);
  }
  found_.clear();
  for (const Measured& one : nearest_) found_.push_back({one.row, static_cast<float>(one.distance)});
  return finite(found_);
}

void Rerank::measure(const PreciseScorer& exact, const Row* rows, std::size_t count, std::size_t ahead, double* out) {
  exact.measure(rows, count, ahead, out);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = number_or_infinity(out[i]);
    const Measured one = {out[i], rows[i]};
    if (nearest_.size() == k_) {
      if (!(one < nearest_.back())) continue;
      nearest_.pop_back();
    }
    nearest_.insert(std::upper_bound(nearest_.begin(), nearest_.end(), one), one);
  }
}

}  // namespace lookalike
