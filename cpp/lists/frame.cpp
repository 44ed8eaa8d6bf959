#include "lists/frame.hpp"

#include <algorithm>

namespace lookalike {

std::vector<float> middle_of(std::span<const float> rows, std::size_t dim) {
  constexpr std::size_t together = 16;  // columns, which share a cache line in every row
  const std::size_t count = rows.size() / dim;
  std::vector<float> middle(dim), columns(together * count);
  for (std::size_t first = 0; first < dim; first += together) {
    const std::size_t held = std::min(together, dim - first);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < held; ++c) columns[c * count + i] = rows[i * dim + first + c];
    for (std::size_t c = 0; c < held; ++c) {
      const std::span<float> column = std::span(columns).subspan(c * count, count);
      const auto half = column.begin() + static_cast<std::ptrdiff_t>(count / 2);
      std::nth_element(column.begin(), half, column.end());
      middle[first + c] = *half;
    }
  }
  return middle;
}

std::size_t count_too_tight(std::span<const float> centroids, std::span<const Spread> spreads,
                            std::span<const float> middle) {
  // Rounding about the middle spoils a share of what tells the rows of a list apart that grows as this ratio. Measured
  // on 20 clusters: at 30 it costs half a point of recall, at 100 eight points, at 300 more than forty.
  constexpr double coarsest = 30;
  std::size_t count = 0;
  for (std::size_t l = 0; l < spreads.size(); ++l) {
    const std::size_t rows = spreads[l].rows;
    if (rows < 2) continue;
    double square = 0;
    for (std::size_t d = 0; d < middle.size(); ++d) {
      const double off = double{centroids[l * middle.size() + d]} - middle[d];
      square += off * off;
    }
    // A mean lies nearer to its rows than what they were drawn affected.
    const double spread = spreads[l].squares / static_cast<double>(rows - 1);
    // Rows that are equal but for the rounding of floats are not told apart in any frame.
    constexpr double equal = 1e-12;
    if (square > coarsest * spread && spread > equal * square) count += rows;
  }
  return count;
}

}  // namespace lookalike
