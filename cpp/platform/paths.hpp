// Names in folders. Functions that can fail return an errno, or 0.
#pragma once

#include <filesystem>
#include <string>

#include "platform/file.hpp"

namespace lookalike::platform {

/// Follows links.
[[nodiscard]] int status_of(const std::filesystem::path& path, FileStatus& status);
/// EACCES or the like unless this process may write the file.
[[nodiscard]] int check_writable(const std::filesystem::path& path);
/// Renames `from`, which no File has open, over `to`, in the same folder. At any time, also after a crash, `to` is the
/// old file or the new one. Whoever has the old file open or mapped goes on reading it; Windows may refuse to replace
/// it meanwhile (EACCES).
[[nodiscard]] int replace(const std::filesystem::path& from, const std::filesystem::path& to);
/// Returns when names given in a folder would survive a loss of power, as far as the file system can promise that.
[[nodiscard]] int sync_directory(const std::filesystem::path& folder);
void remove_file(const std::filesystem::path& path) noexcept;

/// UTF-8, for messages; on POSIX systems the very bytes of the path.
std::string utf8(const std::filesystem::path& path);

unsigned process_id() noexcept;

}  // namespace lookalike::platform
