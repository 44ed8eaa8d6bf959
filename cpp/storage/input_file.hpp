// A regular file, open for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "platform/file.hpp"

namespace lookalike {

class InputFile {
 public:
  /// Throws IoError if `path` is a directory or cannot be opened, InvalidArgument if it is a device or a pipe.
  explicit InputFile(const std::filesystem::path& path);

  /// The size in bytes when the file was opened.
  std::uint64_t size() const noexcept { return size_; }
  const platform::File& file() const noexcept { return file_; }
  const std::string& name() const noexcept { return name_; }

  /// Fills `out` with the bytes at `offset`. Throws IoError, or CorruptFile if the file is too short.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string name_;
  platform::File file_;
  std::uint64_t size_ = 0;
};

}  // namespace lookalike
