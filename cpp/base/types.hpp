// Types that every storey uses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// The dense internal number of a vector in an index. The user's number or name for it is an id (rows/id_map.hpp).
using Row = std::uint32_t;
inline constexpr Row no_row = ~Row{0};

inline constexpr float infinity = __builtin_huge_valf();

/// Distances are smaller-is-nearer for every metric: inner products are negated.
enum class Metric : std::uint8_t { l2, ip, cosine, hamming };

/// The stored number type of vector elements. `bits` packs eight dimensions into a byte.
enum class Element : std::uint8_t { f32, f16, u8, s8, bits };

/// The bits of an IEEE 754 binary16 number. The kernels convert it to float for arithmetic.
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
