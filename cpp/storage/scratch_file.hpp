// Temporary storage on disk for intermediate data that exceeds memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/array.hpp"
#include "platform/file.hpp"
#include "storage/mapped_file.hpp"

namespace lookalike {

/// An anonymous file. The system deletes it when this object and all its mappings are gone, even if the process
/// crashes.
class ScratchFile {
 public:
  /// Creates the file in the directory of `target`. Throws IoError.
  explicit ScratchFile(const std::filesystem::path& target);

  /// Throws IoError.
  void append(std::span<const std::byte> bytes);
  std::size_t size() const noexcept { return size_; }

  /// Maps the bytes appended so far; null if there are none. Throws IoError.
  std::shared_ptr<const MappedFile> map() const;

 private:
  std::string name_;  // for error messages
  platform::File file_;
  std::size_t size_ = 0;
};

/// Maps scratch files as arrays and limits their resident pages, which count as memory of this process.
class ScratchMaps {
 public:
  /// Drops all pages each time about `max_resident_bytes` have been read.
  explicit ScratchMaps(std::size_t max_resident_bytes) : max_resident_bytes_(max_resident_bytes) {}

  /// Maps what was appended to the file so far. Not thread-safe against count_read. Throws IoError.
  template <class T>
  Array<T> array(const ScratchFile& scratch) {
    const std::shared_ptr<const MappedFile> file = scratch.map();
    if (!file) return {};
    files_.push_back(file);
    return Array<T>::mapped({reinterpret_cast<const T*>(file->bytes().data()), file->bytes().size() / sizeof(T)}, file);
  }

  /// Reports that about `bytes` were read. Thread-safe.
  void count_read(std::size_t bytes) const;

 private:
  std::size_t max_resident_bytes_;
  mutable std::atomic<std::size_t> read_ = 0;
  std::vector<std::weak_ptr<const MappedFile>> files_;
};

}  // namespace lookalike
