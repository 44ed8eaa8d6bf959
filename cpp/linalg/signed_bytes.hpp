// A vector of floats as signed bytes and one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// value = step * byte, nearly; zeros behind the last one.
struct SignedBytes {
  std::vector<std::int8_t> bytes;
  float step = 0;

  void assign(std::span<const float> values, std::size_t room);
  int sum() const noexcept;
};

}  // namespace lookalike
