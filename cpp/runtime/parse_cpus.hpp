// Parses CPU counts.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace lookalike {

/// Parses the value of an environment variable. Returns nullopt unless `text` is a positive integer.
inline std::optional<unsigned> parse_cpus(std::string_view text) {
  unsigned cpus = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpus);
  if (error != std::errc() || end != text.data() + text.size() || cpus == 0) return std::nullopt;
  return cpus;
}

}  // namespace lookalike
