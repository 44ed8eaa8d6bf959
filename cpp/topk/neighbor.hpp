// A row and how far it is.
#pragma once

#include <limits>

#include "base/types.hpp"

namespace lookalike {

struct Neighbor {
  Row row = no_row;
  float distance = std::numeric_limits<float>::infinity();
};

/// The same in double; ordered as answers are, by distance, then row.
struct Measured {
  double distance;
  Row row;
  friend bool operator<(const Measured& a, const Measured& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  }
};

}  // namespace lookalike
