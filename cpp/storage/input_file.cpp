#include "storage/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/io_error.hpp"

namespace lookalike {
namespace {

// The largest read every system takes at once.
constexpr std::size_t largest_read = std::size_t{1} << 30;

}  // namespace

InputFile::InputFile(const std::filesystem::path& path)
    // O_NONBLOCK: a pipe without a writer is refused below instead of waited for.
    : name_("'" + path.string() + "'"), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  if (descriptor_ < 0) throw io_error("open " + name_, errno);
  struct stat status = {};
  const int code = ::fstat(descriptor_, &status) ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
  if (code || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    if (code) throw io_error("read " + name_, code);
    throw InvalidArgument(name_ + " is a device or a pipe; a regular file is needed");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(descriptor_, out.data(), std::min(out.size(), largest_read), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw io_error("read " + name_, errno);
    if (got == 0) throw CorruptFile(name_ + " was cut short while it was read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace lookalike
