// Cluster means that are updated incrementally between iterations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// If no sum of points can be rounded, for example because values are small integers, keeps each cluster's sum and only
/// adds and subtracts the points that changed clusters. The means are bit-identical to recomputed ones. Else recomputes
/// all means.
class RunningMeans {
 public:
  /// Borrows dense rows of `dim` floats.
  RunningMeans(std::span<const float> points, std::size_t dim, std::size_t clusters, unsigned threads);

  bool is_exact() const noexcept { return is_exact_; }

  /// Moves every centroid to the mean of the points with its label, as move_to_means does.
  void update(std::span<const std::uint32_t> labels, std::span<float> centroids);

 private:
  void update_sums(std::span<const std::uint32_t> labels);

  std::span<const float> points_;
  std::size_t dim_, clusters_;
  unsigned threads_;
  bool is_exact_;
  std::vector<std::uint32_t> labels_;  // the labels that sums_ belong to; empty before the first update
  std::vector<double> sums_;           // clusters x dim
};

/// Whether the sum of every subset of the points is exact in double.
bool has_exact_sums(std::span<const float> points, std::size_t dim, unsigned threads);

}  // namespace lookalike
