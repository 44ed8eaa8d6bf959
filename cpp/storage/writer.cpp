#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/crc32c.hpp"
#include "storage/file.hpp"
#include "storage/format.hpp"
#include "storage/output_file.hpp"

namespace lookalike {
namespace {

using Sink = function_ref<void(std::span<const std::byte>)>;
using OnRead = function_ref<void(std::size_t)>;

constexpr std::size_t max_piece_bytes = std::size_t{4} << 20;

void write_in_pieces(std::span<const std::byte> bytes, Sink sink) {
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(max_piece_bytes, bytes.size()))) {
    sink(bytes.first(std::min(max_piece_bytes, bytes.size())));
  }
}

void write_padding(std::uint64_t offset, Sink sink) {
  static constexpr std::byte zeros[alignment] = {};
  const auto padding = static_cast<std::size_t>(format::padding_after(offset));
  if (padding) sink({zeros, padding});
}

}  // namespace

void FileWriter::add(std::string name, DType dtype, std::vector<std::span<const std::byte>> pieces) {
  sections_.push_back({std::move(name), dtype, std::move(pieces)});
}

void FileWriter::add_copy(std::string name, DType dtype, std::span<const std::byte> bytes) {
  copies_.push_back(std::make_unique<std::vector<std::byte>>(bytes.begin(), bytes.end()));
  add(std::move(name), dtype, {*copies_.back()});
}

void FileWriter::write(Sink sink) const {
  write(sink, [](std::size_t) {});
}

void FileWriter::write(Sink sink, OnRead on_read) const {
  format::Header header = {};
  std::vector<format::SectionEntry> table(sections_.size());
  std::unordered_set<std::string_view> names;
  std::uint64_t end = sizeof header + std::as_bytes(std::span(table)).size();
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Section& section = sections_[i];
    if (!names.insert(section.name).second) throw InvalidArgument("two sections are named '" + section.name + "'");
    format::put_name(table[i].name, section.name, "the section name");
    table[i].dtype = static_cast<std::uint8_t>(section.dtype);
    table[i].offset = end;
    for (const std::span<const std::byte> bytes : section.pieces) {
      write_in_pieces(bytes, [&](std::span<const std::byte> part) {
        table[i].checksum = crc32c(part, table[i].checksum);
        on_read(part.size());
      });
      table[i].length += bytes.size();
    }
    end += table[i].length + format::padding_after(table[i].length);
  }

  std::memcpy(header.magic, format::magic, sizeof header.magic);
  header.version = format::version;
  header.byte_order = format::little_endian;
  header.file_length = end;
  format::put_name(header.kind, kind_, "the kind");
  if (table.size() > std::numeric_limits<std::uint32_t>::max()) throw InvalidArgument("too many sections");
  header.section_count = static_cast<std::uint32_t>(table.size());
  header.table_checksum = crc32c(std::as_bytes(std::span(table)));
  header.header_checksum =
      crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(format::Header, header_checksum)));

  sink(std::as_bytes(std::span(&header, 1)));
  write_in_pieces(std::as_bytes(std::span(table)), sink);
  for (const Section& section : sections_) {
    std::uint64_t length = 0;
    for (const std::span<const std::byte> bytes : section.pieces) {
      write_in_pieces(bytes, [&](std::span<const std::byte> part) {
        sink(part);
        on_read(part.size());
      });
      length += bytes.size();
    }
    write_padding(length, sink);
  }
}

void FileWriter::save(const std::filesystem::path& path) const {
  save(path, [](std::size_t) {});
}

void FileWriter::save(const std::filesystem::path& path, OnRead on_read) const {
  OutputFile file(path);
  write([&](std::span<const std::byte> bytes) { file.write(bytes); }, on_read);
  file.commit();
}

}  // namespace lookalike
