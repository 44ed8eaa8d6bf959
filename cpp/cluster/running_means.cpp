#include "cluster/running_means.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "cluster/members.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t values_per_task = std::size_t{1} << 18, means_per_task = 16;

/// Runs body(slice) for slices of the values, in parallel.
template <class Body>
void for_slices(std::span<const float> values, unsigned threads, Body&& body) {
  parallel_for((values.size() + values_per_task - 1) / values_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * values_per_task;
    body(values.subspan(first, std::min(values_per_task, values.size() - first)));
  });
}

/// Whether all values are integers after scaling.
bool are_integers(std::span<const float> values, double scale) {
  constexpr double magic = 0x1.8p52;  // adding it rounds to integers
  std::int64_t non_integers = 0;      // counted without early exit, so that the loop vectorises
  for (const float value : values) {
    const double scaled = static_cast<double>(value) * scale;
    non_integers += (scaled + magic) - magic != scaled;
  }
  return non_integers == 0;
}

/// Groups the positions in `rows` by the labels of the rows.
Members group_by_label(std::span<const Row> rows, std::span<const std::uint32_t> labels, std::size_t clusters) {
  std::vector<std::uint32_t> row_labels(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) row_labels[i] = labels[rows[i]];
  return Members(row_labels, clusters);
}

}  // namespace

bool has_exact_sums(std::span<const float> points, std::size_t dim, unsigned threads) {
  std::atomic<float> largest = 0;
  for_slices(points, threads, [&](std::span<const float> values) {
    float max_magnitude = 0;
    for (const float value : values) max_magnitude = std::max(max_magnitude, std::fabs(value));
    float current = largest.load();
    while (max_magnitude > current && !largest.compare_exchange_weak(current, max_magnitude)) {
    }
  });
  // Sums are exact if all values are integer multiples of 1 / scale, a power of two, and sums are below 2^51 / scale.
  const double sum = std::max(static_cast<double>(largest.load()), 0x1p-126) * static_cast<double>(points.size() / dim);
  const double scale = std::exp2(50 - std::ceil(std::log2(sum)));
  std::atomic<bool> all_integers = true;
  for_slices(points, threads, [&](std::span<const float> values) {
    if (all_integers.load(std::memory_order_relaxed) && !are_integers(values, scale)) all_integers = false;
  });
  return all_integers;
}

RunningMeans::RunningMeans(std::span<const float> points, std::size_t dim, std::size_t clusters, unsigned threads)
    : points_(points),
      dim_(dim),
      clusters_(clusters),
      threads_(threads),
      is_exact_(has_exact_sums(points, dim, threads)) {}

void RunningMeans::update(std::span<const std::uint32_t> labels, std::span<float> centroids) {
  if (!is_exact_) return move_to_means(points_, dim_, Members(labels, clusters_), threads_, centroids);
  if (labels_.empty()) sums_.assign(clusters_ * dim_, 0.0);
  update_sums(labels);
  labels_.assign(labels.begin(), labels.end());
  std::vector<std::size_t> sizes(clusters_, 0);
  for (const std::uint32_t label : labels) ++sizes[label];
  for (std::size_t c = 0; c < clusters_; ++c) {
    if (sizes[c] == 0) continue;
    for (std::size_t d = 0; d < dim_; ++d)
      centroids[c * dim_ + d] = static_cast<float>(sums_[c * dim_ + d] / static_cast<double>(sizes[c]));
  }
}

void RunningMeans::update_sums(std::span<const std::uint32_t> labels) {
  std::vector<Row> changed;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels_.empty() || labels_[i] != labels[i]) changed.push_back(static_cast<Row>(i));
  const Members joined = group_by_label(changed, labels, clusters_);
  const Members left = labels_.empty() ? Members({}, clusters_) : group_by_label(changed, labels_, clusters_);
  parallel_for((clusters_ + means_per_task - 1) / means_per_task, threads_, [&](std::size_t task, unsigned) {
    for (std::size_t c = task * means_per_task; c < std::min(clusters_, (task + 1) * means_per_task); ++c) {
      const std::span<double> sums(sums_.data() + c * dim_, dim_);
      const auto row_of = [&](std::span<const Row> positions) {
        return [&changed, positions](std::size_t i) { return changed[positions[i]]; };
      };
      add_rows(points_, joined.of(c).size(), row_of(joined.of(c)), 1, sums);
      add_rows(points_, left.of(c).size(), row_of(left.of(c)), -1, sums);
    }
  });
}

}  // namespace lookalike
