// Which of a few centroids is nearest, beyond doubt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace lookalike {

struct Nearest {
  std::uint32_t centroid;
  float square;
};

/// The nearest of the picked centroids, rows of `dim` floats, by distances as they are; of equally near ones the first.
/// There is at least one pick. `scratch` is reused from call to call.
Nearest exact_argmin(const float* point, const float* centroids, std::size_t dim, std::span<const Row> picks,
                     std::vector<float>& scratch);

/// The same of all `count` centroids.
Nearest exact_argmin_all(const float* point, const float* centroids, std::size_t dim, std::size_t count,
                         std::vector<float>& scratch);

/// By how much of itself a kernel's squared distance may be wrong [Higham 2002, section 3.1].
constexpr float square_error(std::size_t dim) { return static_cast<float>(dim + 16) * 0x1p-24f * 1.05f; }

}  // namespace lookalike
