#include "lists/frame.hpp"

#include <algorithm>

namespace lookalike {

std::vector<float> coordinate_medians(std::span<const float> rows, std::size_t dim) {
  constexpr std::size_t batch = 16;  // columns that share a cache line
  const std::size_t count = rows.size() / dim;
  std::vector<float> origin(dim), columns(batch * count);
  for (std::size_t first = 0; first < dim; first += batch) {
    const std::size_t width = std::min(batch, dim - first);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < width; ++c) columns[c * count + i] = rows[i * dim + first + c];
    for (std::size_t c = 0; c < width; ++c) {
      const std::span<float> column = std::span(columns).subspan(c * count, count);
      const auto half = column.begin() + static_cast<std::ptrdiff_t>(count / 2);
      std::nth_element(column.begin(), half, column.end());
      origin[first + c] = *half;
    }
  }
  return origin;
}

std::size_t count_rows_in_tight_lists(std::span<const float> centroids, std::span<const ListSpread> spreads,
                                      std::span<const float> origin) {
  // The limit on squared distance from the origin over squared spread. Rounding errors grow with this ratio. Measured
  // on 20 clusters, a ratio of 30 costs half a point of recall, 100 costs eight points and 300 more than forty.
  constexpr double max_distance_ratio = 30;
  std::size_t count = 0;
  for (std::size_t l = 0; l < spreads.size(); ++l) {
    const std::size_t rows = spreads[l].rows;
    if (rows < 2) continue;
    double square = 0;
    for (std::size_t d = 0; d < origin.size(); ++d) {
      const double offset = double{centroids[l * origin.size() + d]} - origin[d];
      square += offset * offset;
    }
    // Divided by n - 1, because the sample mean is nearer to its rows than the true mean.
    const double spread = spreads[l].sum_of_squares / static_cast<double>(rows - 1);
    // No frame can separate rows that differ only by floating-point rounding.
    constexpr double min_relative_spread = 1e-12;
    if (square > max_distance_ratio * spread && spread > min_relative_spread * square) count += rows;
  }
  return count;
}

}  // namespace lookalike
