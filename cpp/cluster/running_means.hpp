// The means of clusters, from iteration to iteration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// Where no sum of the points can be rounded, as of whole numbers or of halves, sums are kept and only points that
/// changed clusters are added and taken away: the same means to the last bit, at a fraction of the cost.
class RunningMeans {
 public:
  /// Borrows dense rows of `dim` floats.
  RunningMeans(std::span<const float> points, std::size_t dim, std::size_t clusters, unsigned threads);

  bool is_exact() const noexcept { return is_exact_; }

  /// Puts every centroid at the mean of the points that have its label, as move_to_means does.
  void move(std::span<const std::uint32_t> labels, std::span<float> centroids);

 private:
  void update(std::span<const std::uint32_t> labels);

  std::span<const float> points_;
  std::size_t dim_, clusters_;
  unsigned threads_;
  bool is_exact_;
  std::vector<std::uint32_t> labels_;  // those the sums are of; empty before there are any
  std::vector<double> sums_;           // clusters x dim
};

/// Whether every sum of some of the points, each once, is a double.
bool has_exact_sums(std::span<const float> points, std::size_t dim, unsigned threads);

}  // namespace lookalike
