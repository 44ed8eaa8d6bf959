// How an HNSW index is asked to walk: over which codes, over what is kept, and how wide.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codes/vector_store.hpp"

namespace lookalike {

/// Part of the file format: never reorder.
enum class WalkCodes : std::uint8_t { automatic, f32, f16, u8, s8, u4, rabitq, bits };

constexpr const char* name_of(WalkCodes codes) {
  constexpr const char* names[] = {"auto", "f32", "f16", "u8", "s8", "u4", "rabitq", "bits"};
  return names[static_cast<int>(codes)];
}

struct HnswSettings {
  std::size_t M = 16;
  std::size_t ef_construction = 200;
  WalkCodes codes = WalkCodes::automatic;
  Codes keep = Codes::automatic;
  bool keeps_codes_only = false;  // the vectors walked over are the only ones
  std::uint64_t seed = 0;

  /// Neighbours of a node: half as many again as the lowest level of an HNSW graph has, in whole cache lines.
  std::size_t degree() const noexcept { return (3 * M + 15) / 16 * 16; }
  /// What the vectors are to be stored as. Throws InvalidArgument where codes and keep do not go together.
  Codes store_codes(Metric metric) const;
};

}  // namespace lookalike
