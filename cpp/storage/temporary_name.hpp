// Names of temporary files.
#pragma once

#include <atomic>
#include <string>

#include "platform/paths.hpp"

namespace lookalike {

/// A new name at each call. It does not contain the target's name, so it never exceeds the file system's limit.
inline std::string temporary_name() {
  static std::atomic<unsigned> count = 0;
  return ".lookalike-" + std::to_string(platform::process_id()) + "-" + std::to_string(count.fetch_add(1)) + ".tmp";
}

}  // namespace lookalike
