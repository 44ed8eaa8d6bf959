// Which codes tell neighbours apart.
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

/// How large a share of true neighbours codes should keep in front; and the longest ones, at least.
struct CodeQuality {
  double enough = 0.93, bearable = 0.9;
};

/// A row and others near it, nearest first.
struct Neighborhood {
  Row row;
  std::vector<Row> near;
};

/// Writes the points of a neighbourhood, as `share_in_front` asks for them. Borrows the space.
inline auto writer_of(const MetricSpace& space) {
  return [&space](const Neighborhood& hood, float* points) {
    for (const Row row : hood.near) space.write_point(row, points), points += space.point_dim();
    space.write_point(hood.row, points);
  };
}

/// The share of the nearest few of neighbourhoods that codes put first. `write_points` writes encoder.dim() floats a
/// row, those near first and the row itself behind them; on several threads.
double share_in_front(const Encoder& encoder, std::span<const Neighborhood> hoods,
                      function_ref<void(const Neighborhood& hood, float* points)> write_points, unsigned threads);

/// `count` of `rows` rows, evenly spread.
std::vector<Row> evenly(std::size_t rows, std::size_t count);
/// Rows of `space` as points, dense.
std::vector<float> points_of(const MetricSpace& space, std::span<const Row> rows, unsigned threads);

/// Some rows of `space` and the nearest to each of them; `apart` (ascending) are not among them.
std::vector<Neighborhood> neighborhoods(const MetricSpace& space, std::span<const Row> apart, unsigned threads);

/// The shortest codes of one of `widths`, the finest first, that keep nearly all true neighbours of some rows of
/// `space` in front of the others near them. Codes are learned from at most half of the rows and judged by others:
/// directions explain the rows they were learned from too well, and a few rows perfectly. Nullopt where even the
/// longest lose too many: tight clusters far apart need finer steps than codes have.
std::optional<CodeForm> choose_codes(std::span<const CodeWidth> widths, const MetricSpace& space, std::uint64_t seed,
                                     unsigned threads, const CodeQuality& demand = {});

}  // namespace lookalike
