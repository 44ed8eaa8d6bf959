// Bytes that are too many for memory while something is made of them.
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

/// A file that nobody else opens: it goes when this object and all that was mapped of it are gone, however the process
/// ends.
class ScratchFile {
 public:
  /// In the folder of the file `beside`. Throws IoError.
  explicit ScratchFile(const std::filesystem::path& beside);

  /// Throws IoError.
  void append(std::span<const std::byte> bytes);
  std::size_t size() const noexcept { return size_; }

  /// What was appended so far; null where that is nothing. Throws IoError.
  std::shared_ptr<const MappedFile> map() const;

 private:
  std::string name_;  // for messages
  platform::File file_;
  std::size_t size_ = 0;
};

/// Scratch files as arrays. What was read of them is given back to the system now and then: it would be taken for
/// memory that this process holds.
class ScratchMaps {
 public:
  /// About `most` bytes of them may stay in memory.
  explicit ScratchMaps(std::size_t most) : most_(most) {}

  /// What was appended to the file so far. Nobody may read other arrays meanwhile. Throws IoError.
  template <class T>
  Array<T> array(const ScratchFile& scratch) {
    const std::shared_ptr<const MappedFile> file = scratch.map();
    if (!file) return {};
    files_.push_back(file);
    return Array<T>::mapped({reinterpret_cast<const T*>(file->bytes().data()), file->bytes().size() / sizeof(T)}, file);
  }

  /// Says that about so many bytes were read. May be called from several threads at once.
  void has_read(std::size_t bytes) const;

 private:
  std::size_t most_;
  mutable std::atomic<std::size_t> read_ = 0;
  std::vector<std::weak_ptr<const MappedFile>> files_;
};

}  // namespace lookalike
