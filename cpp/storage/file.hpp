// Saving is naming: a component writes named arrays into one checksummed, 64-byte-aligned, mappable file.
// The bytes are described in docs/file-format.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/array.hpp"
#include "base/errors.hpp"
#include "base/function_ref.hpp"
#include "base/types.hpp"

namespace lookalike {

/// What a section's bytes are. Values are part of the file format: never reorder.
enum class DType : std::uint8_t {
  bytes = 0,
  u8 = 1,
  s8 = 2,
  u16 = 3,
  f16 = 4,
  u32 = 5,
  s32 = 6,
  f32 = 7,
  u64 = 8,
  s64 = 9,
  f64 = 10
};

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<std::byte>() {
  return DType::bytes;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::s8;
}
template <>
constexpr DType dtype_of<std::uint16_t>() {
  return DType::u16;
}
template <>
constexpr DType dtype_of<Half>() {
  return DType::f16;
}
template <>
constexpr DType dtype_of<std::uint32_t>() {
  return DType::u32;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::s32;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<std::uint64_t>() {
  return DType::u64;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::s64;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}

class InputFile;
class MappedFile;

/// Collects named arrays, then writes them at once. The arrays are borrowed until then.
class FileWriter {
 public:
  /// `kind` names what is inside ("flat", "hnsw", ...).
  explicit FileWriter(std::string kind) : kind_(std::move(kind)) {}

  template <class T>
  void array(std::string name, std::span<const T> values) {
    add(std::move(name), dtype_of<T>(), {std::as_bytes(values)});
  }
  /// One array, of which the pieces lie apart in memory.
  template <class T>
  void pieces(std::string name, const std::vector<std::span<const T>>& pieces) {
    std::vector<std::span<const std::byte>> bytes;
    for (const std::span<const T> piece : pieces) bytes.push_back(std::as_bytes(piece));
    add(std::move(name), dtype_of<T>(), std::move(bytes));
  }
  template <class T>
  void value(std::string name, T value) {
    add_copy(std::move(name), dtype_of<T>(), std::as_bytes(std::span<const T>(&value, 1)));
  }
  void text(std::string name, std::string_view value) {
    add_copy(std::move(name), DType::bytes, std::as_bytes(std::span<const char>(value)));
  }

  /// Writes beside `path`, syncs, renames over it and syncs the directory: after a crash the old file or the new one
  /// is there, whole. Throws IoError and removes what it wrote beside. A link is followed; a device or a pipe is
  /// written into. Names are unique, 1 to 40 bytes (the kind: 1 to 16) without NUL, else InvalidArgument.
  void save(const std::filesystem::path& path) const;
  /// The same bytes, handed to `sink` piece by piece, in order.
  void write(function_ref<void(std::span<const std::byte>)> sink) const;

  /// The same two, for arrays that are mapped and larger than memory: arrays are read twice, and `passed` is told each
  /// time how many bytes have just been read.
  void save(const std::filesystem::path& path, function_ref<void(std::size_t)> passed) const;
  void write(function_ref<void(std::span<const std::byte>)> sink, function_ref<void(std::size_t)> passed) const;

 private:
  struct Section {
    std::string name;
    DType dtype;
    std::vector<std::span<const std::byte>> pieces;
  };
  void add(std::string name, DType dtype, std::vector<std::span<const std::byte>> pieces);
  void add_copy(std::string name, DType dtype, std::span<const std::byte> bytes);

  std::string kind_;
  std::vector<Section> sections_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> copies_;
};

/// Reads what FileWriter wrote. Every length is checked before anything is allocated or touched, and every section's
/// checksum before it is handed out, but for those that are deferred; a file that was cut, changed or written by
/// something else throws CorruptFile, one made by a newer version of the format Unsupported.
class FileReader {
 public:
  /// Whether a section of a file of some kind is too long to be read before it is needed.
  using Defers = bool (*)(std::string_view kind, std::string_view section);

  /// With `map`, sections are borrowed from the mapped file (their checksums are still verified once, at open, which
  /// reads the file through the page cache); without it `array` reads them into memory, and checks what it read.
  /// Mapped sections that `defers` names are not read at open: who uses them takes into account that they may hold
  /// anything, until `verify` has been called.
  static FileReader open(const std::filesystem::path& path, bool map, Defers defers = nullptr);
  static FileReader from_bytes(std::shared_ptr<const std::vector<std::byte>> bytes);

  const std::string& kind() const noexcept { return kind_; }
  bool contains(std::string_view name) const noexcept;
  /// Null where sections are not borrowed from a file.
  const std::shared_ptr<const MappedFile>& mapping() const noexcept { return mapping_; }

  bool is_deferred(std::string_view name) const noexcept;
  /// Verifies what was deferred; calls `poll`, which may throw, all the while. Throws CorruptFile.
  void verify(function_ref<void()> poll) const;

  /// Throws CorruptFile if the section is missing or of another dtype.
  template <class T>
  Array<T> array(std::string_view name) const {
    const Section& section = find(name, dtype_of<T>());
    const std::size_t count = section.length / sizeof(T);
    if (mapping_) {
      return Array<T>::mapped({reinterpret_cast<const T*>(memory_.data() + section.offset), count}, keeper_);
    }
    Array<T> values;
    values.resize_for_overwrite(count);
    if (count) read(section, std::as_writable_bytes(std::span<T>(values.mutable_data(), count)));
    return values;
  }
  template <class T>
  T value(std::string_view name) const {
    const Array<T> values = array<T>(name);
    if (values.size() != 1) refuse("section '" + std::string(name) + "' should hold one value");
    return values[0];
  }
  std::string text(std::string_view name) const;

 private:
  struct Section {
    std::string name;
    DType dtype;
    std::uint32_t checksum;
    std::size_t offset;
    std::size_t length;
  };
  explicit FileReader(std::string name) : name_(std::move(name)) {}

  void parse(std::uint64_t size);
  void verify(const Section& section, function_ref<void()> poll) const;
  const Section& find(std::string_view name, DType dtype) const;
  void read(const Section& section, std::span<std::byte> out) const;
  void read_at(std::uint64_t offset, std::span<std::byte> out) const;
  std::uint32_t checksum_at(std::uint64_t offset, std::uint64_t length, function_ref<void()> poll) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string name_;  // for messages
  std::string kind_;
  std::vector<Section> sections_;
  std::shared_ptr<const InputFile> file_;  // sections are read from here, or, where null, from memory_
  std::span<const std::byte> memory_;
  std::shared_ptr<const void> keeper_;  // of memory_
  std::shared_ptr<const MappedFile> mapping_;
  Defers defers_ = nullptr;
};

}  // namespace lookalike
