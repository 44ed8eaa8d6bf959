#include "cluster/members.hpp"

#include <algorithm>

#include "kernels/precise.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t clusters_per_task = 16, labels_per_task = 1024;

}  // namespace

Members::Members(std::span<const std::uint32_t> labels, std::size_t clusters)
    : starts_(clusters + 1, 0), rows_(labels.size()) {
  for (const std::uint32_t label : labels) ++starts_[label + 1];
  for (std::size_t c = 0; c < clusters; ++c) starts_[c + 1] += starts_[c];
  std::vector<std::size_t> next(starts_.begin(), starts_.end() - 1);
  for (std::size_t i = 0; i < labels.size(); ++i) rows_[next[labels[i]]++] = static_cast<Row>(i);
}

void move_to_means(std::span<const float> points, std::size_t dim, const Members& members, unsigned threads,
                   std::span<float> centroids) {
  const std::size_t tasks = (members.clusters() + clusters_per_task - 1) / clusters_per_task;
  parallel_for(tasks, threads, [&](std::size_t task, unsigned) {
    std::vector<double> sums(dim);
    const std::size_t last = std::min(members.clusters(), (task + 1) * clusters_per_task);
    for (std::size_t c = task * clusters_per_task; c < last; ++c) {
      const std::span<const Row> rows = members.of(c);
      if (rows.empty()) continue;
      std::fill(sums.begin(), sums.end(), 0.0);
      add_rows(points, rows.size(), [rows](std::size_t i) { return rows[i]; }, 1, sums);
      for (std::size_t d = 0; d < dim; ++d)
        centroids[c * dim + d] = static_cast<float>(sums[d] / static_cast<double>(rows.size()));
    }
  });
}

std::vector<double> squares_to(std::span<const float> points, std::size_t dim, std::span<const std::uint32_t> labels,
                               std::span<const float> centroids, unsigned threads) {
  std::vector<double> squares(labels.size());
  parallel_for((labels.size() + labels_per_task - 1) / labels_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t last = std::min(labels.size(), (task + 1) * labels_per_task);
    for (std::size_t i = task * labels_per_task; i < last; ++i) {
      const auto* const centroid = reinterpret_cast<const std::byte*>(centroids.data() + labels[i] * dim);
      squares[i] = precise_distance(Metric::l2, points.data() + i * dim, centroid, Element::f32, dim);
    }
  });
  return squares;
}

}  // namespace lookalike
