// A row and how far it is.
#pragma once

#include <limits>

#include "base/types.hpp"

namespace lookalike {

struct Neighbor {
  Row row = no_row;
  float distance = std::numeric_limits<float>::infinity();
};

}  // namespace lookalike
