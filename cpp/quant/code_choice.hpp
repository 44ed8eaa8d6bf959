// Chooses the shortest code format that keeps recall high enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "quant/encoder.hpp"

namespace lookalike {

/// Bounds on neighbor_recall: the shortest codes that reach `target_recall` are chosen. If none do, the best ones are,
/// if they reach `min_recall`.
struct CodeQuality {
  double target_recall = 0.93, min_recall = 0.9;
};

/// A row and its nearest neighbours, nearest first.
struct Neighborhood {
  Row row;
  std::vector<Row> neighbors;
};

/// A callback for neighbor_recall that writes the points of a neighbourhood. Borrows the space.
inline auto point_writer(const MetricSpace& space) {
  return [&space](const Neighborhood& neighborhood, float* points) {
    for (const Row row : neighborhood.neighbors) space.write_point(row, points), points += space.point_dim();
    space.write_point(neighborhood.row, points);
  };
}

/// The recall 5@10 of codes: the share of each row's 5 nearest neighbours that are among the 10 nearest by codes, when
/// codes rank the whole neighbourhood. `write_points` writes encoder.dim() floats per row, first the neighbours, then
/// the row itself; several threads call it at once.
double neighbor_recall(const Encoder& encoder, std::span<const Neighborhood> neighborhoods,
                       function_ref<void(const Neighborhood& neighborhood, float* points)> write_points,
                       unsigned threads);

/// `count` of `rows` rows, evenly spaced; all rows if there are fewer.
std::vector<Row> evenly_spaced_rows(std::size_t rows, std::size_t count);
/// The points of `rows`, dense.
std::vector<float> points_of(const MetricSpace& space, std::span<const Row> rows, unsigned threads);

/// A sample of rows and their exact nearest neighbours. Contains none of the rows in `excluded`, which ascend.
std::vector<Neighborhood> sample_neighborhoods(const MetricSpace& space, std::span<const Row> excluded,
                                               unsigned threads);

/// The shortest codes of one of `widths` (finest first) whose neighbor_recall reaches `quality`. Trains on at most half
/// of the rows and measures recall on the others, because directions fit their training rows too well. Nullopt if even
/// the longest codes have too little recall: tight clusters far apart need finer steps than codes have.
std::optional<CodeFormat> choose_codes(std::span<const CodeWidth> widths, const MetricSpace& space, std::uint64_t seed,
                                       unsigned threads, const CodeQuality& quality = {});

}  // namespace lookalike
