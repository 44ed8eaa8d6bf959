// A file on disk, open for reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace lookalike {

class InputFile {
 public:
  /// Throws IoError if the system refuses or `path` is a directory, InvalidArgument if it is a device or a pipe.
  explicit InputFile(const std::filesystem::path& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  /// Bytes there were when it was opened.
  std::uint64_t size() const noexcept { return size_; }
  int descriptor() const noexcept { return descriptor_; }
  const std::string& name() const noexcept { return name_; }

  /// Fills `out` with the bytes at `offset`. Throws IoError, or CorruptFile if the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace lookalike
