// The words every storey shares.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// A row is ours: its dense position in an index. The user's name for it is an id (codes/id_map.hpp).
using Row = std::uint32_t;
inline constexpr Row no_row = ~Row{0};

inline constexpr float infinity = __builtin_huge_valf();

/// What a distance means. Every distance is smaller-is-nearer.
enum class Metric : std::uint8_t { l2, ip, cosine, hamming };

/// How a vector's elements are stored. `bits` packs eight to a byte.
enum class Element : std::uint8_t { f32, f16, u8, s8, bits };

/// IEEE 754 binary16, as bits: arithmetic happens in the kernels, in float.
struct Half {
  std::uint16_t bits;
};

constexpr std::size_t element_size(Element element) {
  switch (element) {
    case Element::f32: return 4;
    case Element::f16: return 2;
    case Element::u8:
    case Element::s8:
    case Element::bits: return 1;
  }
  return 0;
}

constexpr const char* name_of(Metric metric) {
  constexpr const char* names[] = {"l2", "ip", "cosine", "hamming"};
  return names[static_cast<int>(metric)];
}

constexpr const char* name_of(Element element) {
  constexpr const char* names[] = {"f32", "f16", "u8", "s8", "bits"};
  return names[static_cast<int>(element)];
}

}  // namespace lookalike
