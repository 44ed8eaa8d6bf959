// Row-major codes of 8, 4, 2 or 1 bits, and queries prepared for them.
#pragma once

#include <cstdint>

namespace lookalike {

/// A query in signed bytes: one value per code slot of a row, zeros for unused slots.
struct CodeQuery {
  const std::int8_t* values;
  float scale, shift;
};

/// The last bytes of a row, behind its codes: distance = bias + step * (scale * <query, codes> + shift).
struct CodeTail {
  float bias, step;
};

}  // namespace lookalike
