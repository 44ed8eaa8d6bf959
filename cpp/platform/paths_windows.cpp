#include "platform/paths.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

#include "platform/windows_errors.hpp"
#include "platform/windows_files.hpp"

namespace lookalike::platform {
namespace {

// From this length on a path needs the prefix; folders are refused 12 characters before files.
constexpr std::size_t longest_plain_path = MAX_PATH - 12;

// Virus scanners and indexers open new files for a moment, and two threads may replace one file at the same time.
constexpr int attempts = 60;

std::wstring absolute(const std::wstring& path) {
  std::wstring full(::GetFullPathNameW(path.c_str(), 0, nullptr, nullptr), L'\0');
  full.resize(::GetFullPathNameW(path.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr));
  return full;
}

/// As on POSIX systems: also while others have the old file open, or mapped. For Windows 10 and NTFS; what else there
/// is refuses. Returns an error of the system, or 0.
DWORD rename_posix(const ApiPath& from, const std::wstring& to, bool& renamed) {
  // In the SDK of Windows 10; older ones lack the names.
  struct RenameInfo {
    DWORD flags;
    HANDLE root;
    DWORD length;
    WCHAR name[1];
  };
  constexpr auto file_rename_info_ex = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);
  constexpr DWORD replace_if_exists = 1, posix_semantics = 2;

  const HANDLE file = ::CreateFileW(from.c_str(), GENERIC_WRITE | DELETE, share_all, nullptr, OPEN_EXISTING,
                                    FILE_FLAG_WRITE_THROUGH, nullptr);
  if (file == INVALID_HANDLE_VALUE) return ::GetLastError();
  const std::size_t length = to.size() * sizeof(WCHAR);
  std::vector<std::byte> buffer(sizeof(RenameInfo) + length);
  RenameInfo info = {replace_if_exists | posix_semantics, nullptr, static_cast<DWORD>(length), {}};
  std::memcpy(buffer.data(), &info, sizeof info);
  std::memcpy(buffer.data() + offsetof(RenameInfo, name), to.data(), length);
  renamed = ::SetFileInformationByHandle(file, file_rename_info_ex, buffer.data(), static_cast<DWORD>(buffer.size()));
  const DWORD error = renamed && ::FlushFileBuffers(file) ? ERROR_SUCCESS : ::GetLastError();
  ::CloseHandle(file);
  return error;
}

DWORD rename_classic(const ApiPath& from, const ApiPath& to) {
  const bool renamed = ::MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
  return renamed ? ERROR_SUCCESS : ::GetLastError();
}

}  // namespace

ApiPath::ApiPath(const std::filesystem::path& path) : path_(path.native()) {
  if (path_.size() < longest_plain_path || path_.starts_with(L"\\\\?\\")) return;
  path_ = absolute(path_);
  path_ = path_.starts_with(L"\\\\") ? L"\\\\?\\UNC" + path_.substr(1) : L"\\\\?\\" + path_;
}

int status_of_handle(HANDLE handle, FileStatus& status) noexcept {
  if (::GetFileType(handle) != FILE_TYPE_DISK) {
    status = {FileType::other, 0, 0666};
    return 0;
  }
  BY_HANDLE_FILE_INFORMATION found = {};
  if (!::GetFileInformationByHandle(handle, &found)) return errno_of(::GetLastError());
  status.type = found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? FileType::directory : FileType::regular;
  status.size = std::uint64_t{found.nFileSizeHigh} << 32 | found.nFileSizeLow;
  status.permissions = found.dwFileAttributes & FILE_ATTRIBUTE_READONLY ? 0444 : 0666;
  return 0;
}

int status_of(const std::filesystem::path& path, FileStatus& status) {
  const HANDLE file =
      ::CreateFileW(ApiPath(path).c_str(), 0, share_all, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (file == INVALID_HANDLE_VALUE) return errno_of(::GetLastError());
  const int code = status_of_handle(file, status);
  ::CloseHandle(file);
  return code;
}

int check_writable(const std::filesystem::path& path) {
  const HANDLE file = ::CreateFileW(ApiPath(path).c_str(), GENERIC_WRITE, share_all, nullptr, OPEN_EXISTING,
                                    FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return errno_of(::GetLastError());
  ::CloseHandle(file);
  return 0;
}

int replace(const std::filesystem::path& from, const std::filesystem::path& to) {
  const ApiPath source(from), target(to);
  const std::wstring full_target = absolute(target.c_str());
  for (int attempt = 0;; ++attempt) {
    bool renamed = false;
    DWORD error = rename_posix(source, full_target, renamed);
    if (!renamed) error = rename_classic(source, target);
    const bool passing = error == ERROR_ACCESS_DENIED || error == ERROR_SHARING_VIOLATION;
    if (renamed || !passing || attempt == attempts) return errno_of(error);
    ::Sleep(attempt < 20 ? 1 : 25);
  }
}

// Renaming has written it through.
int sync_directory(const std::filesystem::path&) { return 0; }

void remove_file(const std::filesystem::path& path) noexcept {
  try {
    ::DeleteFileW(ApiPath(path).c_str());
  } catch (const std::bad_alloc&) {
    ::DeleteFileW(path.c_str());
  }
}

std::string utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

unsigned process_id() noexcept { return ::GetCurrentProcessId(); }

}  // namespace lookalike::platform
