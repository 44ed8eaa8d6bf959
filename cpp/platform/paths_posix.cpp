#include "platform/paths.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "platform/posix.hpp"

namespace lookalike::platform {

int status_of(const std::filesystem::path& path, FileStatus& status) {
  struct stat found = {};
  if (::stat(path.c_str(), &found)) return errno;
  status = converted(found);
  return 0;
}

int check_writable(const std::filesystem::path& path) { return ::access(path.c_str(), W_OK) ? errno : 0; }

int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
  return std::rename(from.c_str(), to.c_str()) ? errno : 0;
}

int sync_directory(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A folder one may write to but not list cannot be opened, and some file systems do not sync folders.
  if (descriptor < 0) return 0;
  const int code = sync_descriptor(descriptor);
  ::close(descriptor);
  return code == EINVAL || code == ENOTSUP ? 0 : code;
}

void remove_file(const std::filesystem::path& path) noexcept { ::unlink(path.c_str()); }

unsigned process_id() noexcept { return static_cast<unsigned>(::getpid()); }

std::string utf8(const std::filesystem::path& path) { return path.native(); }

}  // namespace lookalike::platform
