// How an HNSW index is asked to walk.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/approx/code_settings.hpp"

namespace lookalike {

/// Of searches that name no ef, where nothing was measured; what is measured by itself never falls below it.
inline constexpr std::size_t usual_ef = 64;

struct HnswSettings : CodeSettings {
  std::size_t M = 16;
  std::size_t ef_construction = 200;
  std::uint64_t seed = 0;

  /// Neighbours of a node: half as many again as the lowest level of an HNSW graph has, in whole cache lines.
  std::size_t degree() const noexcept { return (3 * M + 15) / 16 * 16; }
};

}  // namespace lookalike
