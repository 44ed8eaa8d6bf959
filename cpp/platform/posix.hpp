// What the *_posix.cpp of this folder share.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "platform/file.hpp"

namespace lookalike::platform {

inline FileStatus converted(const struct stat& status) noexcept {
  const FileType type = S_ISREG(status.st_mode)   ? FileType::regular
                        : S_ISDIR(status.st_mode) ? FileType::directory
                                                  : FileType::other;
  return {type, static_cast<std::uint64_t>(status.st_size), static_cast<unsigned>(status.st_mode) & 07777};
}

inline int sync_descriptor(int descriptor) noexcept {
#ifdef F_FULLFSYNC
  // On macOS fsync stops at the drive's cache.
  if (::fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
#endif
  return ::fsync(descriptor) ? errno : 0;
}

}  // namespace lookalike::platform
