// What the *_windows.cpp of this folder that deal with files share.
#pragma once

#include <filesystem>
#include <string>

#include "platform/file.hpp"
#include "platform/windows_api.hpp"

namespace lookalike::platform {

/// Others may read, write, rename and delete what we have open, as on POSIX systems.
inline constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// A path as the system takes it: a long one needs a prefix, and to be absolute.
class ApiPath {
 public:
  explicit ApiPath(const std::filesystem::path& path);
  const wchar_t* c_str() const noexcept { return path_.c_str(); }

 private:
  std::wstring path_;
};

/// Returns an errno, or 0.
int status_of_handle(HANDLE handle, FileStatus& status) noexcept;

}  // namespace lookalike::platform
