// How an IVF index is asked to be.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/approx/code_settings.hpp"

namespace lookalike {

/// Of searches that name no nprobe, where nothing was measured; what is measured by itself never falls below it.
inline constexpr std::size_t usual_nprobe = 32;

/// Unlike a graph, lists can do without vectors: with keep='none' and codes that are none, their distances are the
/// answer.
struct IvfSettings : CodeSettings {
  std::size_t nlist = 0;  // 0: as many as suit the rows there are
  std::uint64_t seed = 0;

  /// Whether vectors are kept only until they are listed.
  bool forgets_vectors() const noexcept {
    return keeps_codes_only && (codes == Quantization::u4 || codes == Quantization::rabitq);
  }
  /// As for other indexes.
  Storage storage(Metric metric) const;
};

}  // namespace lookalike
