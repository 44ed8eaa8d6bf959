// Learns the encoder for residuals: rows minus the centroids of their lists.
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

/// Rows and their lists.
struct LabelledRows {
  const MetricSpace& space;
  std::span<const Row> rows;
  std::span<const std::uint32_t> labels;
  std::span<const float> centroids;  // dense rows of space.point_dim() floats

  /// Writes the residual of rows[i].
  void write_residual(std::size_t i, float* out) const;
};

/// Learns the shortest codes that rank the neighbours within a list well enough. `sample`: dense residuals to train on.
/// `width`: bits per coordinate; if empty, 2 bits are tried before 4.
Encoder train_list_codes(const LabelledRows& rows, std::vector<float> sample, std::optional<CodeWidth> width,
                         std::uint64_t seed, unsigned threads);

}  // namespace lookalike
