// Converts user-facing names into the core's enumerators.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/errors.hpp"
#include "base/types.hpp"
#include "index/hnsw/settings.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

/// The position of `word` in `names`. Throws an InvalidArgument that lists `names`.
template <std::size_t count>
int position_of(const std::string& word, const char* argument, const char* const (&names)[count]) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    if (word == names[i]) return static_cast<int>(i);
    all += (i ? ", '" : "'") + std::string(names[i]) + "'";
  }
  throw InvalidArgument(std::string(argument) + " is '" + word + "'; it must be one of " + all);
}

inline Metric metric_from(const std::string& word) {
  return static_cast<Metric>(position_of(word, "metric", {"l2", "ip", "cosine", "hamming"}));
}

inline Storage storage_from(const std::string& word) {
  return static_cast<Storage>(position_of(word, "codes", {"auto", "f32", "f16", "u8", "s8", "bits"}));
}

inline Quantization quantization_from(const std::string& word) {
  return static_cast<Quantization>(
      position_of(word, "codes", {"auto", "f32", "f16", "u8", "s8", "u4", "rabitq", "bits", "u2"}));
}

/// nullopt for keep='none': only codes are kept.
inline std::optional<Storage> keep_from(const std::string& word) {
  const int position = position_of(word, "keep", {"auto", "f32", "f16", "u8", "s8", "none"});
  if (position == 5) return std::nullopt;
  return static_cast<Storage>(position);
}

}  // namespace lookalike
