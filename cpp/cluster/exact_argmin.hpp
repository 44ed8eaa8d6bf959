// The nearest of a few centroids; float rounding does not affect the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace lookalike {

struct CentroidMatch {
  std::uint32_t centroid;
  float square;
};

/// The nearest of the picked centroids (rows of `dim` floats) by squared distances in double; ties take the first pick.
/// There is at least one pick. `scratch` is reused from call to call.
CentroidMatch exact_argmin(const float* point, const float* centroids, std::size_t dim, std::span<const Row> picks,
                           std::vector<float>& scratch);

/// The nearest of all `count` centroids.
CentroidMatch exact_argmin_all(const float* point, const float* centroids, std::size_t dim, std::size_t count,
                               std::vector<float>& scratch);

/// Relative error bound of a kernel's squared distance [Higham 2002, section 3.1].
constexpr float square_error(std::size_t dim) { return static_cast<float>(dim + 16) * 0x1p-24f * 1.05f; }

}  // namespace lookalike
