#include "index/approx/code_settings.hpp"

#include <string>

#include "base/errors.hpp"

namespace lookalike {

Storage CodeSettings::storage(Metric metric) const {
  const bool bits = metric == Metric::hamming;
  if (bits ? !(codes == Quantization::automatic || codes == Quantization::bits) || keep != Storage::automatic
           : codes == Quantization::bits || keep == Storage::bits) {
    throw InvalidArgument("codes='bits' and metric='hamming' go together, with keep='auto' and nothing else");
  }
  if (drops_originals) {
    switch (codes) {
      case Quantization::f32: return Storage::f32;
      case Quantization::f16: return Storage::f16;
      case Quantization::u8: return Storage::u8;
      case Quantization::s8: return Storage::s8;
      default: break;
    }
    throw InvalidArgument(
        "keep='none' leaves only codes that are vectors themselves: codes must be 'f32', 'f16', 'u8' or "
        "'s8', but is '" +
        std::string(name_of(codes)) + "'");
  }
  // Searching floats means searching the stored vectors, so both settings must agree.
  if (codes == Quantization::f32 || codes == Quantization::f16) {
    const Storage storage = codes == Quantization::f32 ? Storage::f32 : Storage::f16;
    if (keep != Storage::automatic && keep != storage) {
      throw InvalidArgument("codes='" + std::string(name_of(codes)) +
                            "' searches the stored vectors, so keep must be 'auto' or '" + name_of(codes) +
                            "', but is '" + name_of(keep) + "'");
    }
    return storage;
  }
  return keep;
}

std::optional<CodeWidth> CodeSettings::code_width() const {
  switch (codes) {
    case Quantization::u8:
    case Quantization::s8: return CodeWidth::eight;
    case Quantization::u4: return CodeWidth::four;
    case Quantization::u2: return CodeWidth::two;
    case Quantization::rabitq: return CodeWidth::one;
    default: return std::nullopt;
  }
}

bool CodeSettings::uses_codes(const VectorStore& stored) const {
  constexpr std::size_t max_uncoded_row = 64;  // bytes; codes of rows this short save nothing
  const Element element = stored.element();
  const bool is_integer = element == Element::u8 || element == Element::s8;
  if (stored.storage() == Storage::none) return true;
  if (drops_originals || element == Element::bits) return false;
  switch (codes) {
    case Quantization::automatic: return stored.view().stride > max_uncoded_row;
    case Quantization::u8:
    case Quantization::s8: return !is_integer;
    case Quantization::u4:
    case Quantization::u2:
    case Quantization::rabitq: return true;
    default: return false;
  }
}

void CodeSettings::save(FileWriter& file) const {
  file.value<std::uint8_t>("walk_codes", static_cast<std::uint8_t>(codes));
  file.value<std::uint8_t>("keep", static_cast<std::uint8_t>(keep));
  file.value<std::uint8_t>("keeps_codes_only", drops_originals);
}

CodeSettings CodeSettings::load(const FileReader& file) {
  const auto codes = file.value<std::uint8_t>("walk_codes"), keep = file.value<std::uint8_t>("keep");
  if (codes > static_cast<int>(Quantization::u2)) throw CorruptFile("unknown walk_codes " + std::to_string(codes));
  if (keep > static_cast<int>(Storage::bits)) throw CorruptFile("unknown keep " + std::to_string(keep));
  return {static_cast<Quantization>(codes), static_cast<Storage>(keep),
          file.value<std::uint8_t>("keeps_codes_only") != 0};
}

Quantization searched_quantization(std::optional<CodeWidth> codes, Element element) {
  if (codes) {
    switch (*codes) {
      case CodeWidth::eight: return Quantization::u8;
      case CodeWidth::four: return Quantization::u4;
      case CodeWidth::two: return Quantization::u2;
      case CodeWidth::one: return Quantization::rabitq;
    }
  }
  switch (element) {
    case Element::f32: return Quantization::f32;
    case Element::f16: return Quantization::f16;
    case Element::u8: return Quantization::u8;
    case Element::s8: return Quantization::s8;
    case Element::bits: return Quantization::bits;
  }
  return Quantization::automatic;
}

}  // namespace lookalike
