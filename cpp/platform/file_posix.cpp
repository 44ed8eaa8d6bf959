#include "platform/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "platform/posix.hpp"

namespace lookalike::platform {
namespace {

// The most that every system reads or writes at once.
constexpr std::size_t largest_transfer = std::size_t{1} << 30;

int descriptor_of(const File& file) noexcept { return static_cast<int>(file.handle()); }

/// Calls `transfer` until no signal interrupts it.
template <class Transfer>
int transfer_some(Transfer transfer, std::size_t& count) noexcept {
  for (;;) {
    const ssize_t result = transfer();
    if (result >= 0) {
      count = static_cast<std::size_t>(result);
      return 0;
    }
    if (errno != EINTR) return errno;
  }
}

}  // namespace

File::~File() { static_cast<void>(close()); }

int File::open_to_read(const std::filesystem::path& path) {
  handle_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return handle_ < 0 ? errno : 0;
}

int File::open_to_write(const std::filesystem::path& path) {
  handle_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  return handle_ < 0 ? errno : 0;
}

int File::create(const std::filesystem::path& path, unsigned permissions) {
  handle_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
  return handle_ < 0 ? errno : 0;
}

int File::create_scratch(const std::filesystem::path& path) {
  handle_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (handle_ < 0) return errno;
  ::unlink(path.c_str());
  return 0;
}

int File::status(FileStatus& status) const noexcept {
  struct stat found = {};
  if (::fstat(descriptor_of(*this), &found)) return errno;
  status = converted(found);
  return 0;
}

int File::set_permissions(unsigned permissions) const noexcept {
  return ::fchmod(descriptor_of(*this), static_cast<mode_t>(permissions)) ? errno : 0;
}

int File::read_at(std::uint64_t offset, std::span<std::byte> out, std::size_t& got) const noexcept {
  const std::size_t most = std::min(out.size(), largest_transfer);
  return transfer_some([&] { return ::pread(descriptor_of(*this), out.data(), most, static_cast<off_t>(offset)); },
                       got);
}

int File::write(std::span<const std::byte> bytes, std::size_t& put) const noexcept {
  const std::size_t most = std::min(bytes.size(), largest_transfer);
  return transfer_some([&] { return ::write(descriptor_of(*this), bytes.data(), most); }, put);
}

int File::sync() const noexcept { return sync_descriptor(descriptor_of(*this)); }

int File::close() noexcept {
  if (handle_ < 0) return 0;
  const int code = ::close(descriptor_of(*this)) ? errno : 0;
  handle_ = -1;
  return code == EINTR ? 0 : code;  // interrupted or not, the descriptor is gone
}

}  // namespace lookalike::platform
