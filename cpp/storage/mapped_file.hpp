// A whole file as memory: pages come from the system's cache when they are touched and are shared between processes.
#pragma once

#include <cstddef>
#include <span>

#include "storage/input_file.hpp"

namespace lookalike {

class MappedFile {
 public:
  /// Maps what `file`, which is not empty, holds; `file` may be closed afterwards. Throws IoError.
  explicit MappedFile(const InputFile& file);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace lookalike
