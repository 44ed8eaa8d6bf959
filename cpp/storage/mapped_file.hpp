// A whole file as memory: pages come from the system's cache when they are touched and are shared between processes.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>

#include "platform/mapping.hpp"
#include "storage/input_file.hpp"

namespace lookalike {

/// Any member may be called while others read the bytes.
class MappedFile {
 public:
  /// A page that is touched brings its neighbours along as far as the system has them: on Linux so many bytes.
  static constexpr std::size_t brought_along = std::size_t{64} << 10;

  /// Maps what `file`, which is not empty, holds; `file` may be closed afterwards. Throws IoError.
  explicit MappedFile(const InputFile& file);
  /// The same for `length` bytes of an open file that messages call `name`.
  MappedFile(const platform::File& file, std::size_t length, const std::string& name);

  std::span<const std::byte> bytes() const noexcept { return mapping_.bytes(); }

  // A file larger than memory is read in places, and what was read does not stay.

  /// How reads follow each other, from now on: in order, as at first, or in places, where reading on would be in vain.
  enum class Reads { in_order, in_places };
  void expect(Reads reads) const noexcept;
  /// Starts to read `part` of the bytes, which is going to be used, and waits for nothing.
  void will_read(std::span<const std::byte> part) const noexcept;
  /// Counts `bytes` that were read in so many places. What may have come into memory by that is given back whenever it
  /// is more than a tenth of the file.
  void has_read(std::size_t places, std::size_t bytes) const noexcept;
  /// Takes all pages out of this process's memory; they come back, from the system's cache, when they are touched.
  void give_back() const noexcept;

 private:
  platform::Mapping mapping_;
  mutable std::atomic<std::size_t> resident_ = 0;  // at most
};

}  // namespace lookalike
