// The build and search parameters of an HNSW index.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/approx/code_settings.hpp"

namespace lookalike {

/// The ef of searches that request none while nothing is measured, and the lower limit of the ef that the index
/// chooses.
inline constexpr std::size_t default_ef = 64;

struct HnswSettings : CodeSettings {
  std::size_t M = 16;
  std::size_t ef_construction = 200;
  std::uint64_t seed = 0;

  /// Maximum neighbours per node: 3 M, rounded up to whole cache lines. The lowest level of hnswlib has 2 M.
  std::size_t degree() const noexcept { return (3 * M + 15) / 16 * 16; }
};

}  // namespace lookalike
