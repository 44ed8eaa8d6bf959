#include "indexes/code_settings.hpp"

#include <string>

#include "base/errors.hpp"

namespace lookalike {

Codes CodeSettings::store_codes(Metric metric) const {
  const bool bits = metric == Metric::hamming;
  if (bits ? !(codes == WalkCodes::automatic || codes == WalkCodes::bits) || keep != Codes::automatic
           : codes == WalkCodes::bits || keep == Codes::bits) {
    throw InvalidArgument("codes='bits' and metric='hamming' go together, with keep='auto' and nothing else");
  }
  if (keeps_codes_only) {
    switch (codes) {
      case WalkCodes::f32: return Codes::f32;
      case WalkCodes::f16: return Codes::f16;
      case WalkCodes::u8: return Codes::u8;
      case WalkCodes::s8: return Codes::s8;
      default: break;
    }
    throw InvalidArgument(
        "keep='none' leaves only codes that are vectors themselves: codes must be 'f32', 'f16', 'u8' or "
        "'s8', but is '" +
        std::string(name_of(codes)) + "'");
  }
  // Walking over floats is walking over what is kept.
  if (codes == WalkCodes::f32 || codes == WalkCodes::f16) {
    const Codes wanted = codes == WalkCodes::f32 ? Codes::f32 : Codes::f16;
    if (keep != Codes::automatic && keep != wanted) {
      throw InvalidArgument("codes='" + std::string(name_of(codes)) +
                            "' walks over the kept vectors, so keep must be 'auto' or '" + name_of(codes) +
                            "', but is '" + name_of(keep) + "'");
    }
    return wanted;
  }
  return keep;
}

std::optional<CodeWidth> CodeSettings::code_width() const {
  switch (codes) {
    case WalkCodes::u8:
    case WalkCodes::s8: return CodeWidth::eight;
    case WalkCodes::u4: return CodeWidth::four;
    case WalkCodes::u2: return CodeWidth::two;
    case WalkCodes::rabitq: return CodeWidth::one;
    default: return std::nullopt;
  }
}

bool CodeSettings::wants_codes(const VectorStore& kept) const {
  constexpr std::size_t short_row = 64;  // bytes; shorter codes would save nothing
  const Element element = kept.element();
  const bool integers = element == Element::u8 || element == Element::s8;
  if (kept.codes() == Codes::none) return true;
  if (keeps_codes_only || element == Element::bits) return false;
  switch (codes) {
    case WalkCodes::automatic: return kept.view().stride > short_row;
    case WalkCodes::u8:
    case WalkCodes::s8: return !integers;
    case WalkCodes::u4:
    case WalkCodes::u2:
    case WalkCodes::rabitq: return true;
    default: return false;
  }
}

void CodeSettings::save(FileWriter& file) const {
  file.value<std::uint8_t>("walk_codes", static_cast<std::uint8_t>(codes));
  file.value<std::uint8_t>("keep", static_cast<std::uint8_t>(keep));
  file.value<std::uint8_t>("keeps_codes_only", keeps_codes_only);
}

CodeSettings CodeSettings::load(const FileReader& file) {
  const auto codes = file.value<std::uint8_t>("walk_codes"), keep = file.value<std::uint8_t>("keep");
  if (codes > static_cast<int>(WalkCodes::u2)) throw CorruptFile("unknown walk_codes " + std::to_string(codes));
  if (keep > static_cast<int>(Codes::bits)) throw CorruptFile("unknown keep " + std::to_string(keep));
  return {static_cast<WalkCodes>(codes), static_cast<Codes>(keep), file.value<std::uint8_t>("keeps_codes_only") != 0};
}

WalkCodes searched_codes(std::optional<CodeWidth> codes, Element element) {
  if (codes) {
    switch (*codes) {
      case CodeWidth::eight: return WalkCodes::u8;
      case CodeWidth::four: return WalkCodes::u4;
      case CodeWidth::two: return WalkCodes::u2;
      case CodeWidth::one: return WalkCodes::rabitq;
    }
  }
  switch (element) {
    case Element::f32: return WalkCodes::f32;
    case Element::f16: return WalkCodes::f16;
    case Element::u8: return WalkCodes::u8;
    case Element::s8: return WalkCodes::s8;
    case Element::bits: return WalkCodes::bits;
  }
  return WalkCodes::automatic;
}

}  // namespace lookalike
