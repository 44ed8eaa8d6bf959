// Codes for what is left of rows when the centroids of their lists are subtracted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "quant/encoder.hpp"

namespace lookalike {

/// Rows, and the list each belongs to.
struct LabelledRows {
  const MetricSpace& space;
  std::span<const Row> rows;
  std::span<const std::uint32_t> labels;
  std::span<const float> centroids;  // dense rows of space.point_dim() floats

  /// What is left of rows[i].
  void write_residual(std::size_t i, float* out) const;
};

/// The shortest codes that tell neighbours of one list apart, learned from `sample`, the dense rests of some rows. Of 2
/// bits a coordinate where those are fine enough and else of 4; or of the `width` that is wanted.
Encoder learn_list_codes(const LabelledRows& rows, std::vector<float> sample, std::optional<CodeWidth> width,
                         std::uint64_t seed, unsigned threads);

}  // namespace lookalike
