// A memory-mapped file. Pages are loaded from the page cache on first access and shared between processes.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>

#include "platform/mapping.hpp"
#include "storage/input_file.hpp"

namespace lookalike {

/// Thread-safe: any member may be called while other threads read the bytes.
class MappedFile {
 public:
  /// A page fault also maps neighbouring cached pages. This is Linux's default size of that window (fault-around).
  static constexpr std::size_t read_around_bytes = std::size_t{64} << 10;

  /// Maps a non-empty file, which may be closed afterwards. Throws IoError.
  explicit MappedFile(const InputFile& file);
  /// Maps the first `length` bytes of an open file. `name` appears in error messages.
  MappedFile(const platform::File& file, std::size_t length, const std::string& name);

  std::span<const std::byte> bytes() const noexcept { return mapping_.bytes(); }

  // Hints for files larger than memory: read ahead as little as possible, and drop pages after use.

  /// The access pattern from now on; initially sequential. Random access disables read-ahead.
  enum class Access { sequential, random };
  void advise(Access access) const noexcept;
  /// Starts reading `range`, a part of bytes(), in the background.
  void prefetch_range(std::span<const std::byte> range) const noexcept;
  /// Reports that `bytes` were read in `ranges` separate ranges. Drops all pages when the estimated resident size
  /// exceeds a tenth of the file.
  void count_read(std::size_t ranges, std::size_t bytes) const noexcept;
  /// Unmaps all pages from this process. The next access reloads them from the page cache.
  void drop_pages() const noexcept;

 private:
  platform::Mapping mapping_;
  mutable std::atomic<std::size_t> resident_ = 0;  // upper estimate, in bytes
};

}  // namespace lookalike
