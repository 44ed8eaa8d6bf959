// Files as memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "platform/file.hpp"

namespace lookalike::platform {

/// How mapped bytes are going to be used. A hint: refused, reading works as well.
enum class Advice {
  in_order,   // as after mapping
  in_places,  // reading ahead would be in vain
  will_need,  // starts reading, and does not wait
  give_back   // takes the pages out of this process's memory; they come back when they are touched
};

/// The first bytes of a file, read-only, until destruction. The file may be closed meanwhile.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  /// Called once, first. `length` is not 0, and the file has as many bytes. Returns an errno, or 0.
  [[nodiscard]] int map(const File& file, std::size_t length) noexcept;
  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  std::intptr_t file_ = -1;  // Windows: keeps a scratch file from being deleted
};

/// `part` is any part of a mapping.
void advise(std::span<const std::byte> part, Advice advice) noexcept;

}  // namespace lookalike::platform
