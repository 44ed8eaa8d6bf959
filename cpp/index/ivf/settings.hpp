// Settings of an IVF index.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/approx/code_settings.hpp"

namespace lookalike {

/// The nprobe of searches that request none, until a promise is measured. Also the smallest nprobe of a default
/// promise.
inline constexpr std::size_t default_nprobe = 32;

/// Unlike a graph, lists do not need vectors. With keep='none' and lossy codes, the estimated distances are returned.
struct IvfSettings : CodeSettings {
  std::size_t nlist = 0;  // 0: chosen by the number of rows
  std::uint64_t seed = 0;

  /// Whether vectors are dropped once they are encoded in a list.
  bool keeps_only_codes() const noexcept {
    return drops_originals && (codes == Quantization::u4 || codes == Quantization::rabitq);
  }
  /// See CodeSettings::storage.
  Storage storage(Metric metric) const;
};

}  // namespace lookalike
