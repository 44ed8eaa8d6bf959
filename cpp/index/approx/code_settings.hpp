// Settings of an approximate index: the quantization it searches, and the storage of the original vectors.
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
  bool drops_originals = false;  // keep='none': only the searched vectors or codes are stored

  /// How vectors are stored. Throws InvalidArgument if codes and keep contradict each other.
  Storage storage(Metric metric) const;
  /// Whether to search codes rather than the stored vectors.
  bool uses_codes(const VectorStore& stored) const;
  /// The requested bits per coordinate of codes, if any.
  std::optional<CodeWidth> code_width() const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile.
  static CodeSettings load(const FileReader& file);
};

/// The quantization that is searched: codes of the given width, or else vectors stored as `element`.
Quantization searched_quantization(std::optional<CodeWidth> codes, Element element);

}  // namespace lookalike
