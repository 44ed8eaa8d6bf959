#include "linalg/centered_sample.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/precise.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

std::vector<float> mean_of(std::span<const float> rows, std::size_t dim, unsigned threads) {
  constexpr std::size_t dims_per_task = 64;
  const double count = static_cast<double>(rows.size() / dim);
  std::vector<float> mean(dim);
  parallel_for((dim + dims_per_task - 1) / dims_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * dims_per_task, size = std::min(dims_per_task, dim - first);
    double sums[dims_per_task] = {};
    for (std::size_t i = first; i < rows.size(); i += dim)
      for (std::size_t d = 0; d < size; ++d) sums[d] += rows[i + d];
    for (std::size_t d = 0; d < size; ++d) mean[first + d] = static_cast<float>(sums[d] / count);
  });
  return mean;
}

/// Removes rows far from the mean; returns whether there were any.
bool remove_outliers(std::vector<float>& rows, std::span<const float> mean, unsigned threads) {
  constexpr double max_ratio = 100;  // of a row's squared distance to the 99th percentile
  constexpr std::size_t rows_per_task = 64;
  const std::size_t dim = mean.size();
  std::vector<double> squares(rows.size() / dim);
  parallel_for((squares.size() + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    for (std::size_t i = task * rows_per_task; i < std::min(squares.size(), (task + 1) * rows_per_task); ++i) {
      const std::byte* const row = reinterpret_cast<const std::byte*>(rows.data() + i * dim);
      squares[i] = precise_distance(Metric::l2, mean.data(), row, Element::f32, dim);
    }
  });
  std::vector<double> sorted = squares;
  const auto percentile = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 99 / 100);
  std::nth_element(sorted.begin(), percentile, sorted.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    if (squares[i] > max_ratio * *percentile) continue;
    std::memmove(rows.data() + kept++ * dim, rows.data() + i * dim, dim * sizeof(float));
  }
  rows.resize(kept * dim);
  return kept < squares.size();
}

}  // namespace

CenteredSample::CenteredSample(std::vector<float> sample, std::size_t dim, unsigned threads)
    : mean(mean_of(sample, dim, threads)), rows(std::move(sample)) {
  // The farthest outliers shift the mean, so the second pass can find more.
  for (int pass = 0; pass < 2 && remove_outliers(rows, mean, threads); ++pass) mean = mean_of(rows, dim, threads);
  subtract_from_rows(rows, mean);
}

void subtract_from_rows(std::span<float> rows, std::span<const float> center) {
  const std::size_t dim = center.size();
  for (float* row = rows.data(); row < rows.data() + rows.size(); row += dim)
    for (std::size_t d = 0; d < dim; ++d) row[d] -= center[d];
}

}  // namespace lookalike
