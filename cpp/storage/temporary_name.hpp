// What files are called that nobody asked for.
#pragma once

#include <atomic>
#include <string>

#include "platform/paths.hpp"

namespace lookalike {

/// Another one at each call; unlike a name asked for, never too long.
inline std::string temporary_name() {
  static std::atomic<unsigned> count = 0;
  return ".lookalike-" + std::to_string(platform::process_id()) + "-" + std::to_string(count.fetch_add(1)) + ".tmp";
}

}  // namespace lookalike
