// Files of the operating system: the calls that saving and loading are made of, with the same meaning on every system.
//
// Functions that can fail return an errno, whatever the system's own error codes are, or 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace lookalike::platform {

enum class FileType { regular, directory, other };  // other: a device or a pipe

struct FileStatus {
  FileType type = FileType::other;
  std::uint64_t size = 0;
  unsigned permissions = 0;  // as chmod takes them
};

/// An open file, closed on destruction. Child processes do not inherit it.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  /// One of these four is called once, first. Opens a file, or a directory to ask for its status; does not wait for a
  /// pipe that has no writer.
  [[nodiscard]] int open_to_read(const std::filesystem::path& path);
  /// Opens a device or a pipe that exists.
  [[nodiscard]] int open_to_write(const std::filesystem::path& path);
  /// Makes a file to write; EEXIST where there is one.
  [[nodiscard]] int create(const std::filesystem::path& path, unsigned permissions);
  /// Makes a file to write and to map; EEXIST where there is one. It is deleted with the last of this object and the
  /// mappings of it, however the process ends. On POSIX systems it has no name meanwhile.
  [[nodiscard]] int create_scratch(const std::filesystem::path& path);

  [[nodiscard]] int status(FileStatus& status) const noexcept;
  /// Does nothing on Windows, where a new file gets the access rights of its folder.
  [[nodiscard]] int set_permissions(unsigned permissions) const noexcept;
  /// Reads some of the bytes at `offset`; `got` is 0 at the end of the file.
  [[nodiscard]] int read_at(std::uint64_t offset, std::span<std::byte> out, std::size_t& got) const noexcept;
  /// Writes some of `bytes` after what was written before.
  [[nodiscard]] int write(std::span<const std::byte> bytes, std::size_t& put) const noexcept;
  /// Returns when the bytes would survive a loss of power.
  [[nodiscard]] int sync() const noexcept;
  /// The file is closed, also where an error is returned. Does nothing where none is open.
  [[nodiscard]] int close() noexcept;

  /// A descriptor on POSIX systems, a HANDLE on Windows; -1 where no file is open.
  std::intptr_t handle() const noexcept { return handle_; }

 private:
  std::intptr_t handle_ = -1;
};

}  // namespace lookalike::platform
