// A row and its distance.
#pragma once

#include <limits>

#include "base/types.hpp"

namespace lookalike {

struct Neighbor {
  Row row = no_row;
  float distance = std::numeric_limits<float>::infinity();
};

/// A neighbour with its distance in double precision. Ordered as results are: by distance, then row.
struct PreciseNeighbor {
  double distance;
  Row row;
  friend bool operator<(const PreciseNeighbor& a, const PreciseNeighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  }
};

}  // namespace lookalike
