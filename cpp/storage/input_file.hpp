// A file on disk, open for reading.
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
  /// Throws IoError if the system refuses or `path` is a directory, InvalidArgument if it is a device or a pipe.
  explicit InputFile(const std::filesystem::path& path);

  /// Bytes there were when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  const platform::File& file() const noexcept { return file_; }
  const std::string& name() const noexcept { return name_; }

  /// Fills `out` with the bytes at `offset`. Throws IoError, or CorruptFile if the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string name_;
  platform::File file_;
  std::uint64_t size_ = 0;
};

}  // namespace lookalike
