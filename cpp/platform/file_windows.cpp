#include "platform/file.hpp"

#include <algorithm>

#include "platform/windows_api.hpp"
#include "platform/windows_errors.hpp"
#include "platform/windows_files.hpp"

namespace lookalike::platform {
namespace {

// The most that is read or written at once: fits a DWORD, and what network drives take.
constexpr std::size_t largest_transfer = std::size_t{16} << 20;

HANDLE handle_of(const File& file) noexcept { return reinterpret_cast<HANDLE>(file.handle()); }

/// Opens `path`; `handle` is -1 where an errno is returned.
int open_file(const std::filesystem::path& path, DWORD access, DWORD disposition, DWORD flags, std::intptr_t& handle) {
  const HANDLE opened = ::CreateFileW(ApiPath(path).c_str(), access, share_all, nullptr, disposition, flags, nullptr);
  handle = reinterpret_cast<std::intptr_t>(opened);
  return opened == INVALID_HANDLE_VALUE ? errno_of(::GetLastError()) : 0;
}

}  // namespace

File::~File() { static_cast<void>(close()); }

// Without FILE_FLAG_BACKUP_SEMANTICS folders cannot be opened.
int File::open_to_read(const std::filesystem::path& path) {
  return open_file(path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, handle_);
}

int File::open_to_write(const std::filesystem::path& path) {
  return open_file(path, GENERIC_WRITE, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, handle_);
}

int File::create(const std::filesystem::path& path, unsigned) {
  return open_file(path, GENERIC_WRITE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, handle_);
}

int File::create_scratch(const std::filesystem::path& path) {
  return open_file(path, GENERIC_READ | GENERIC_WRITE | DELETE, CREATE_NEW,
                   FILE_ATTRIBUTE_TEMPORARY | FILE_FLAG_DELETE_ON_CLOSE, handle_);
}

int File::status(FileStatus& status) const noexcept { return status_of_handle(handle_of(*this), status); }

int File::set_permissions(unsigned) const noexcept { return 0; }

int File::read_at(std::uint64_t offset, std::span<std::byte> out, std::size_t& got) const noexcept {
  OVERLAPPED place = {};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD count = 0;
  const auto most = static_cast<DWORD>(std::min(out.size(), largest_transfer));
  got = 0;
  if (!::ReadFile(handle_of(*this), out.data(), most, &count, &place)) {
    const DWORD error = ::GetLastError();
    return error == ERROR_HANDLE_EOF ? 0 : errno_of(error);
  }
  got = count;
  return 0;
}

int File::write(std::span<const std::byte> bytes, std::size_t& put) const noexcept {
  DWORD count = 0;
  const auto most = static_cast<DWORD>(std::min(bytes.size(), largest_transfer));
  if (!::WriteFile(handle_of(*this), bytes.data(), most, &count, nullptr)) return errno_of(::GetLastError());
  put = count;
  return 0;
}

int File::sync() const noexcept { return ::FlushFileBuffers(handle_of(*this)) ? 0 : errno_of(::GetLastError()); }

int File::close() noexcept {
  if (handle_ == -1) return 0;
  const bool closed = ::CloseHandle(handle_of(*this));
  handle_ = -1;
  return closed ? 0 : errno_of(::GetLastError());
}

}  // namespace lookalike::platform
