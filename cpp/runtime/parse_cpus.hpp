// CPU counts as people write them.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace lookalike {

/// A count as people write it in an environment variable; none unless `text` is a positive whole number.
inline std::optional<unsigned> parse_cpus(std::string_view text) {
  unsigned cpus = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpus);
  if (error != std::errc() || end != text.data() + text.size() || cpus == 0) return std::nullopt;
  return cpus;
}

}  // namespace lookalike
