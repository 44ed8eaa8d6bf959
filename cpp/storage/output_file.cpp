#include "storage/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "storage/io_error.hpp"
#include "storage/temporary_name.hpp"

namespace lookalike {
namespace {

// The largest write every system takes at once.
constexpr std::size_t largest_write = std::size_t{1} << 30;
constexpr unsigned permissions = 07777;

std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::error_code ignored;  // what is wrong with the path shows when it is opened
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  std::filesystem::path target = std::filesystem::weakly_canonical(path, ignored);
  return target.empty() ? path : target;
}

int sync_to_disk(int descriptor) {
#ifdef F_FULLFSYNC
  // On macOS fsync stops at the drive's cache.
  if (::fcntl(descriptor, F_FULLFSYNC) == 0) return 0;
#endif
  return ::fsync(descriptor);
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path)
    : name_("'" + path.string() + "'"), path_(follow_links(path)) {
  struct stat status = {};
  if (::stat(path_.c_str(), &status)) {
    if (errno != ENOENT) fail(errno);
    create_beside(0666);
  } else if (S_ISDIR(status.st_mode)) {
    fail(EISDIR);
  } else if (S_ISREG(status.st_mode)) {
    // Renaming would replace a file that may not be written.
    if (::access(path_.c_str(), W_OK)) fail(errno);
    create_beside(status.st_mode & 0777);
    if (::fchmod(descriptor_, status.st_mode & permissions)) {
      const int code = errno;
      close();
      std::remove(written_.c_str());
      fail(code);
    }
  } else {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) fail(errno);
  }
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!written_.empty()) ::unlink(written_.c_str());
}

void OutputFile::create_beside(unsigned mode) {
  for (;;) {
    std::filesystem::path candidate = path_.parent_path() / temporary_name();
    descriptor_ = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor_ >= 0) {
      written_ = std::move(candidate);
      return;
    }
    if (errno != EEXIST) fail(errno);
  }
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), largest_write));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::commit() {
  sync();
  close();
  if (written_.empty()) return;
  if (std::rename(written_.c_str(), path_.c_str())) fail(errno);
  written_.clear();
  sync_directory();
}

void OutputFile::sync() const {
  // A device or a pipe cannot be synced, and says so.
  if (sync_to_disk(descriptor_) && !(written_.empty() && (errno == EINVAL || errno == EROFS || errno == ENOTSUP))) {
    fail(errno);
  }
}

void OutputFile::sync_directory() const {
  const std::filesystem::path directory = path_.has_parent_path() ? path_.parent_path() : ".";
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // A directory one may write to but not list cannot be opened, and some file systems do not sync directories.
  if (descriptor < 0) return;
  const int code = sync_to_disk(descriptor) ? errno : 0;
  ::close(descriptor);
  if (code && code != EINVAL && code != ENOTSUP) fail(code);
}

void OutputFile::close() {
  const int code = ::close(descriptor_) ? errno : 0;
  descriptor_ = -1;
  // Interrupted or not, the descriptor is gone; the bytes were synced before.
  if (code && code != EINTR) fail(code);
}

void OutputFile::fail(int code) const { throw io_error("write " + name_, code); }

}  // namespace lookalike
