// What files are called that nobody asked for.
#pragma once

#include <unistd.h>

#include <atomic>
#include <string>

namespace lookalike {

/// Another one at each call; unlike a name asked for, never too long.
inline std::string temporary_name() {
  static std::atomic<unsigned> count = 0;
  return ".lookalike-" + std::to_string(::getpid()) + "-" + std::to_string(count.fetch_add(1)) + ".tmp";
}

}  // namespace lookalike
