// Which codes an approximate index searches by, and what it keeps of the vectors beside them.
#pragma once

#include <cstdint>
#include <optional>

#include "base/types.hpp"
#include "quant/encoder.hpp"
#include "rows/vector_store.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Part of the file format: never reorder.
enum class Quantization : std::uint8_t { automatic, f32, f16, u8, s8, u4, rabitq, bits, u2 };

constexpr const char* name_of(Quantization codes) {
  constexpr const char* names[] = {"auto", "f32", "f16", "u8", "s8", "u4", "rabitq", "bits", "u2"};
  return names[static_cast<int>(codes)];
}

struct CodeSettings {
  Quantization codes = Quantization::automatic;
  Storage keep = Storage::automatic;
  bool keeps_codes_only = false;  // the vectors walked over are the only ones

  /// What the vectors are to be stored as. Throws InvalidArgument where codes and keep do not go together.
  Storage storage(Metric metric) const;
  /// Whether codes should be searched rather than the vectors kept.
  bool wants_codes(const VectorStore& kept) const;
  /// Bits of a code where that was asked for.
  std::optional<CodeWidth> code_width() const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile.
  static CodeSettings load(const FileReader& file);
};

/// What is searched: codes of a width, or vectors kept as `element`.
Quantization searched_codes(std::optional<CodeWidth> codes, Element element);

}  // namespace lookalike
