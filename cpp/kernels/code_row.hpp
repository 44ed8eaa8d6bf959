// Rows of codes of 8, 4, 2 or 1 bits, and the queries that meet them.
#pragma once

#include <cstdint>

namespace lookalike {

/// A query in signed bytes, one for every code a row has room for, zeros where the row has none.
struct CodeQuery {
  const std::int8_t* values;
  float scale, shift;
};

/// What follows the codes of a row, in its last bytes.
struct CodeTail {
  float bias, step;
};

}  // namespace lookalike
