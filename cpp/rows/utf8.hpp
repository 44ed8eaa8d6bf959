// UTF-8 validation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lookalike {

/// Whether `text` is valid UTF-8 as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool is_utf8(std::string_view text) noexcept {
  constexpr std::uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};  // code point, by the number of continuation bytes
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) continue;
    const std::size_t continuation = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i < continuation) return false;
    std::uint32_t point = first & (0x3fu >> continuation);
    for (const std::size_t end = i + continuation; i < end; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xc0u) != 0x80) return false;
      point = point << 6 | (next & 0x3fu);
    }
    if (point < smallest[continuation] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
  }
  return true;
}

}  // namespace lookalike
