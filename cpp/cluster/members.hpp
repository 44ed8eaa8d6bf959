// The members of clusters, and their means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace lookalike {

/// Points grouped by label, in ascending order within a group.
class Members {
 public:
  Members(std::span<const std::uint32_t> labels, std::size_t clusters);

  std::size_t clusters() const noexcept { return starts_.size() - 1; }
  std::span<const Row> of(std::size_t cluster) const noexcept {
    return {rows_.data() + starts_[cluster], starts_[cluster + 1] - starts_[cluster]};
  }

 private:
  std::vector<std::size_t> starts_;
  std::vector<Row> rows_;
};

/// Adds `sign` times the rows row_of(i), for i in [0, count), to `sums`, in that order. Prefetches the start of rows
/// ahead; the hardware prefetcher continues from there.
template <class RowOf>
void add_rows(std::span<const float> points, std::size_t count, RowOf row_of, double sign, std::span<double> sums) {
  constexpr std::size_t ahead = 4, line = 64 / sizeof(float), max_prefetched = 32 * line;
  const std::size_t dim = sums.size();
  double* const to = sums.data();
  for (std::size_t i = 0; i < count; ++i) {
    if (i + ahead < count)
      for (std::size_t d = 0; d < std::min(dim, max_prefetched); d += line)
        __builtin_prefetch(points.data() + row_of(i + ahead) * dim + d);
    const float* const point = points.data() + row_of(i) * dim;
    for (std::size_t d = 0; d < dim; ++d) to[d] += sign * static_cast<double>(point[d]);
  }
}

/// Moves every centroid to the mean of its members, summed in double in ascending order. Empty clusters keep theirs.
void move_to_means(std::span<const float> points, std::size_t dim, const Members& members, unsigned threads,
                   std::span<float> centroids);

/// Every point's squared distance to the centroid of its label, in double.
std::vector<double> squares_to(std::span<const float> points, std::size_t dim, std::span<const std::uint32_t> labels,
                               std::span<const float> centroids, unsigned threads);

}  // namespace lookalike
