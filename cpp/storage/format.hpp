// The binary layout of docs/file-format.md: a header, a section table and the sections.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/array.hpp"
#include "storage/file.hpp"

namespace lookalike::format {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read without conversion");

// As in PNG: the first byte marks a binary file, the line ends detect a transfer in text mode, and Ctrl-Z stops output
// on a DOS terminal.
inline constexpr char magic[8] = {'\x89', 'L', 'A', 'L', '\r', '\n', '\x1a', '\n'};
inline constexpr std::uint32_t version = 1;
inline constexpr std::uint32_t little_endian = 0x01020304;
inline constexpr std::uint32_t big_endian = 0x04030201;
/// Feature bits that this reader supports: none yet.
inline constexpr std::uint64_t known_features = 0;

/// Every version of the format starts with this header.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t byte_order;
  std::uint64_t features;
  std::uint64_t file_length;
  char kind[16];
  std::uint32_t section_count;
  std::uint32_t table_checksum;
  std::uint32_t reserved;
  std::uint32_t header_checksum;  // of the preceding bytes
};
static_assert(sizeof(Header) == 64 && std::is_trivially_copyable_v<Header>);

struct SectionEntry {
  char name[40];
  std::uint8_t dtype;
  std::uint8_t reserved[3];
  std::uint32_t checksum;
  std::uint64_t offset;
  std::uint64_t length;
};
static_assert(sizeof(SectionEntry) == 64 && std::is_trivially_copyable_v<SectionEntry>);

/// Bytes from `offset` to the next multiple of `alignment`.
constexpr std::uint64_t padding_after(std::uint64_t offset) { return (alignment - offset % alignment) % alignment; }

/// Bytes per element; 0 for an unknown dtype.
constexpr std::size_t dtype_size(std::uint8_t dtype) {
  constexpr std::uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  return dtype < std::size(sizes) ? sizes[dtype] : 0;
}

/// Copies a name into a zero-filled field. Throws InvalidArgument if it does not fit.
template <std::size_t capacity>
void put_name(char (&field)[capacity], std::string_view name, const char* argument) {
  if (name.empty() || name.size() > capacity || name.find('\0') != std::string_view::npos) {
    throw InvalidArgument(std::string(argument) + " '" + std::string(name) + "' has " + std::to_string(name.size()) +
                          " bytes; it must have 1 to " + std::to_string(capacity) + ", none of them zero");
  }
  name.copy(field, capacity);
}

/// The name in `field`; empty if the field is invalid.
template <std::size_t capacity>
std::string_view get_name(const char (&field)[capacity]) {
  const std::string_view whole(field, capacity);
  const std::string_view name = whole.substr(0, whole.find('\0'));
  return whole.find_first_not_of('\0', name.size()) == std::string_view::npos ? name : std::string_view();
}

}  // namespace lookalike::format
