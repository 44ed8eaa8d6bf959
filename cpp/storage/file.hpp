// Writes and reads files of named arrays (sections): checksummed, 64-byte aligned, mappable. docs/file-format.md
// specifies the format.
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

/// The element type of a section. The values are part of the file format and must not change.
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

/// Collects named arrays and writes them in one go. It borrows the arrays until then.
class FileWriter {
 public:
  /// `kind` names the content: "flat", "hnsw", ...
  explicit FileWriter(std::string kind) : kind_(std::move(kind)) {}

  template <class T>
  void array(std::string name, std::span<const T> values) {
    add(std::move(name), dtype_of<T>(), {std::as_bytes(values)});
  }
  /// Writes one array that consists of separate pieces in memory.
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

  /// Replaces `path` atomically: writes a temporary file in its directory, syncs it, renames it and syncs the
  /// directory. After a crash, `path` holds either the old or the new content. Follows symbolic links; writes directly
  /// into a device or pipe. On IoError the temporary file is removed. Throws InvalidArgument unless section names are
  /// unique and have 1 to 40 bytes (the kind: 1 to 16) without NUL.
  void save(const std::filesystem::path& path) const;
  /// Passes the file's bytes to `sink`, in order.
  void write(function_ref<void(std::span<const std::byte>)> sink) const;

  /// Overloads for mapped arrays that exceed memory: calls `on_read` with the number of bytes after each piece is read,
  /// so that the caller can drop pages. Every array is read twice: for its checksum and for writing.
  void save(const std::filesystem::path& path, function_ref<void(std::size_t)> on_read) const;
  void write(function_ref<void(std::span<const std::byte>)> sink, function_ref<void(std::size_t)> on_read) const;

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

/// Reads a file of FileWriter. Lengths are validated before any allocation or access. Checksums are verified before a
/// section is returned, except for deferred sections. Throws CorruptFile for a truncated, changed or foreign file, and
/// Unsupported for a newer version of the format.
class FileReader {
 public:
  /// Returns true for sections whose checksum is not verified at open, because reading them would take too long.
  using Defers = bool (*)(std::string_view kind, std::string_view section);

  /// With `map`, sections are borrowed from the mapped file. Their checksums are verified at open, which reads the file
  /// once through the page cache. Without `map`, `array` reads a section into memory and verifies the bytes it read.
  /// Mapped sections selected by `defers` are not read at open; until `verify` returns, their content is untrusted.
  static FileReader open(const std::filesystem::path& path, bool map, Defers defers = nullptr);
  static FileReader from_bytes(std::shared_ptr<const std::vector<std::byte>> bytes);

  const std::string& kind() const noexcept { return kind_; }
  bool contains(std::string_view name) const noexcept;
  /// Null unless the file is mapped.
  const std::shared_ptr<const MappedFile>& mapping() const noexcept { return mapping_; }

  bool is_deferred(std::string_view name) const noexcept;
  /// Verifies the deferred sections. Calls `poll`, which may throw, before each piece. Throws CorruptFile.
  void verify(function_ref<void()> poll) const;

  /// Throws CorruptFile if the section is missing or has another dtype.
  template <class T>
  Array<T> array(std::string_view name) const {
    const Section& section = find(name, dtype_of<T>());
    const std::size_t count = section.length / sizeof(T);
    if (mapping_) {
      return Array<T>::mapped({reinterpret_cast<const T*>(memory_.data() + section.offset), count}, memory_owner_);
    }
    Array<T> values;
    values.resize_for_overwrite(count);
    if (count) read(section, std::as_writable_bytes(std::span<T>(values.mutable_data(), count)));
    return values;
  }
  template <class T>
  T value(std::string_view name) const {
    const Array<T> values = array<T>(name);
    if (values.size() != 1) {
      throw_corrupt("has section '" + std::string(name) + "' of " + std::to_string(values.size()) +
                    " values; it must hold one");
    }
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
  [[noreturn]] void throw_corrupt(const std::string& error) const;

  std::string name_;  // for error messages
  std::string kind_;
  std::vector<Section> sections_;
  std::shared_ptr<const InputFile> file_;  // sections are read from here; if null, from memory_
  std::span<const std::byte> memory_;
  std::shared_ptr<const void> memory_owner_;
  std::shared_ptr<const MappedFile> mapping_;
  Defers defers_ = nullptr;
};

}  // namespace lookalike
