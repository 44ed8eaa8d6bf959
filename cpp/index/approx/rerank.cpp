#include "index/approx/rerank.hpp"

#include <algorithm>
#include <cmath>

namespace lookalike {
namespace {

/// The error of estimated distances, fitted to the rows reranked so far: exact = slope * estimated + mean error, with a
/// standard deviation.
class EstimateError {
 public:
  /// The largest of `count` normally distributed errors rarely exceeds sqrt(2 ln count) standard deviations. The margin
  /// of 0.25 allows for a deviation that is itself estimated from few rows.
  EstimateError(double slope, std::size_t count)
      : slope_(slope), max_deviations_(std::sqrt(2 * std::log(static_cast<double>(count))) + 0.25) {}
  void add(float estimated, double exact) {
    const double error = exact - slope_ * estimated, from_old_mean = error - mean_;
    mean_ += from_old_mean / ++count_;
    squares_ += from_old_mean * (error - mean_);
  }
  /// A value that the exact distance is very unlikely to fall below. The first rows have the smallest estimates and so
  /// deviate less than later ones, so the allowed deviation is doubled while the sample is small.
  double lower_bound(float estimated) const {
    constexpr double small_sample = 24;
    const double deviations = (count_ < small_sample ? 2 : 1) * max_deviations_;
    return slope_ * estimated + mean_ - deviations * std::sqrt(squares_ / count_);
  }

 private:
  double slope_, max_deviations_, mean_ = 0, squares_ = 0;
  double count_ = 0;
};

/// An unverified file may hold NaN, which sorting cannot handle.
template <class Number>
Number nan_to_infinity(Number x) {
  return std::isnan(x) ? Number{infinity} : x;
}

}  // namespace

double slope_of(const MetricSpace& space, double square) {
  if (space.metric == Metric::cosine) return 0.5;
  if (space.metric != Metric::ip) return 1;
  return space.augmented_norm > 0 ? std::sqrt(square) / (2 * double{space.augmented_norm}) : 0;
}

double intercept_of(const MetricSpace& space, std::span<const float> point, double slope) {
  if (space.metric != Metric::cosine && space.metric != Metric::ip) return 0;
  double square = 0;
  for (std::size_t d = 0; d < space.rows.dim; ++d) square += double{point[d]} * point[d];
  if (space.metric == Metric::cosine) return 1 - slope * (square + 1);
  return -slope * (square + double{space.augmented_norm} * space.augmented_norm);
}

std::span<const Neighbor> reject_overflow(std::span<const Neighbor> found) {
  const auto is_finite = [](const Neighbor& neighbor) { return std::isfinite(neighbor.distance); };
  return std::all_of(found.begin(), found.end(), is_finite) ? found : std::span<const Neighbor>();
}

std::span<const Neighbor> Reranker::rerank(const RerankScorer& scorer, std::span<const Neighbor> coarse, std::size_t k,
                                           double slope) {
  // The first rows are measured exactly, with prefetching. Later ones are first screened by floats.
  constexpr std::size_t min_exact = 3 * batch;
  EstimateError error(slope, coarse.size());
  k_ = k;
  nearest_.clear();
  rows_.clear();
  for (const Neighbor& neighbor : coarse) rows_.push_back(neighbor.row);
  for (std::size_t i = 0; i < std::min(batch / 2, coarse.size()); ++i) scorer.exact.prefetch(rows_[i]);
  for (std::size_t i = 0; i < coarse.size(); i += batch) {
    if (i >= k && i >= 2 * batch && error.lower_bound(coarse[i].distance) > nearest_.back().distance) break;
    const std::size_t count = std::min(batch, coarse.size() - i);
    Row* const rows = rows_.data() + i;
    measured += count;
    double distances[batch];
    if (i < std::max(k, min_exact)) {
      measure(scorer.exact, rows, count, std::min(batch, coarse.size() - i - count), distances);
      for (std::size_t j = 0; j < count; ++j) error.add(coarse[i + j].distance, distances[j]);
      continue;
    }
    // Most of these rows are not among the nearest; floats rule them out faster.
    float estimates[batch];
    scorer.fast.measure(rows, count, estimates);
    std::size_t candidates = 0;
    for (std::size_t j = 0; j < count; ++j) {
      error.add(coarse[i + j].distance, nan_to_infinity(estimates[j]));
      if (!(scorer.lower_bound(estimates[j]) > nearest_.back().distance)) rows[candidates++] = rows[j];
    }
    measure(scorer.exact, rows, candidates, 0, distances);
  }
  found_.clear();
  for (const PreciseNeighbor& neighbor : nearest_)
    found_.push_back({neighbor.row, static_cast<float>(neighbor.distance)});
  return reject_overflow(found_);
}

void Reranker::measure(const PreciseScorer& exact, const Row* rows, std::size_t count, std::size_t prefetch_count,
                       double* out) {
  exact.measure(rows, count, prefetch_count, out);
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = nan_to_infinity(out[i]);
    const PreciseNeighbor neighbor = {out[i], rows[i]};
    if (nearest_.size() == k_) {
      if (!(neighbor < nearest_.back())) continue;
      nearest_.pop_back();
    }
    nearest_.insert(std::upper_bound(nearest_.begin(), nearest_.end(), neighbor), neighbor);
  }
}

}  // namespace lookalike
