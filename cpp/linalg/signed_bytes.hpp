// A vector quantized to signed bytes with one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// value ~ step * byte; zero bytes pad the vector.
struct SignedBytes {
  std::vector<std::int8_t> bytes;
  float step = 0;

  /// Quantizes `values` and pads them to `padded_size` bytes.
  void assign(std::span<const float> values, std::size_t padded_size);
  /// The sum of all bytes.
  int sum() const noexcept;
};

}  // namespace lookalike
