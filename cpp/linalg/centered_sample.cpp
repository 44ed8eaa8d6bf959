#include "linalg/centered_sample.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/precise.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

std::vector<float> mean_of(std::span<const float> rows, std::size_t dim, unsigned threads) {
  constexpr std::size_t together = 64;  // coordinates
  const double count = static_cast<double>(rows.size() / dim);
  std::vector<float> mean(dim);
  parallel_for((dim + together - 1) / together, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * together, size = std::min(together, dim - first);
    double sums[together] = {};
    for (std::size_t i = first; i < rows.size(); i += dim)
      for (std::size_t d = 0; d < size; ++d) sums[d] += rows[i + d];
    for (std::size_t d = 0; d < size; ++d) mean[first + d] = static_cast<float>(sums[d] / count);
  });
  return mean;
}

/// Leaves out rows far from the mean; false where there are none.
bool leave_out(std::vector<float>& rows, std::span<const float> mean, unsigned threads) {
  constexpr double far = 100;  // squares of the distance that one in a hundred lies beyond
  constexpr std::size_t together = 64;
  const std::size_t dim = mean.size();
  std::vector<double> squares(rows.size() / dim);
  parallel_for((squares.size() + together - 1) / together, threads, [&](std::size_t task, unsigned) {
    for (std::size_t i = task * together; i < std::min(squares.size(), (task + 1) * together); ++i) {
      const std::byte* const row = reinterpret_cast<const std::byte*>(rows.data() + i * dim);
      squares[i] = precise_distance(Metric::l2, mean.data(), row, Element::f32, dim);
    }
  });
  std::vector<double> sorted = squares;
  const auto usual = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 99 / 100);
  std::nth_element(sorted.begin(), usual, sorted.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    if (squares[i] > far * *usual) continue;
    std::memmove(rows.data() + kept++ * dim, rows.data() + i * dim, dim * sizeof(float));
  }
  rows.resize(kept * dim);
  return kept < squares.size();
}

}  // namespace

CenteredSample::CenteredSample(std::vector<float> sample, std::size_t dim, unsigned threads)
    : mean(mean_of(sample, dim, threads)), rows(std::move(sample)) {
  // Those that lie far out hide others.
  for (int pass = 0; pass < 2 && leave_out(rows, mean, threads); ++pass) mean = mean_of(rows, dim, threads);
  subtract_from_rows(rows, mean);
}

void subtract_from_rows(std::span<float> rows, std::span<const float> center) {
  const std::size_t dim = center.size();
  for (float* row = rows.data(); row < rows.data() + rows.size(); row += dim)
    for (std::size_t d = 0; d < dim; ++d) row[d] -= center[d];
}

}  // namespace lookalike
