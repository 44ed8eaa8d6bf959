#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "storage/crc32c.hpp"
#include "storage/file.hpp"
#include "storage/format.hpp"
#include "storage/input_file.hpp"
#include "storage/mapped_file.hpp"

namespace lookalike {
namespace {

// Bytes read before their checksum is updated. They fit the cache, so the checksum does not read memory again.
constexpr std::size_t checksum_chunk = std::size_t{256} << 10;

std::string in_quotes(std::string_view name) { return "'" + std::string(name) + "'"; }

/// Describes the error in the header of a file of `size` bytes; empty if it is valid. Throws Unsupported for a valid
/// header of a newer version.
std::string header_error(const format::Header& header, std::uint64_t size, const std::string& name) {
  if (std::memcmp(header.magic, format::magic, sizeof header.magic)) return "is not a lookalike file";
  if (header.byte_order == format::big_endian) {
    throw Unsupported(name + " was written on a big-endian machine; this reader takes little-endian files only");
  }
  if (header.header_checksum !=
      crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(format::Header, header_checksum)))) {
    return "has a damaged header";
  }
  if (header.version > format::version || header.features & ~format::known_features) {
    throw Unsupported(name + " was made by a newer lookalike (file format " + std::to_string(header.version) +
                      "; this one reads " + std::to_string(format::version) + "): upgrade lookalike to read it");
  }
  if (header.version == 0 || header.byte_order != format::little_endian || header.reserved ||
      format::get_name(header.kind).empty()) {
    return "has an invalid header";
  }
  if (header.file_length != size) {
    return "has " + std::to_string(size) + " bytes; its header says " + std::to_string(header.file_length);
  }
  if (header.section_count > (size - sizeof header) / sizeof(format::SectionEntry))
    return "is too short for its section table";
  return {};
}

}  // namespace

FileReader FileReader::open(const std::filesystem::path& path, bool map, Defers defers) {
  const auto file = std::make_shared<const InputFile>(path);
  FileReader reader(file->name());
  // Mapped files are also verified through file reads, because reading the mapping would leave its pages resident.
  reader.file_ = file;
  if (map && file->size()) {
    reader.mapping_ = std::make_shared<const MappedFile>(*file);
    reader.memory_ = reader.mapping_->bytes();
    reader.memory_owner_ = reader.mapping_;
    reader.defers_ = defers;
  }
  reader.parse(file->size());
  return reader;
}

FileReader FileReader::from_bytes(std::shared_ptr<const std::vector<std::byte>> bytes) {
  FileReader reader("the saved index");
  reader.memory_ = *bytes;
  reader.memory_owner_ = std::move(bytes);
  reader.parse(reader.memory_.size());
  return reader;
}

void FileReader::parse(std::uint64_t size) {
  format::Header header;
  if (size < sizeof header) throw_corrupt(size ? "is too short to be a lookalike file" : "is empty");
  read_at(0, std::as_writable_bytes(std::span(&header, 1)));
  if (const std::string error = header_error(header, size, name_); !error.empty()) throw_corrupt(error);
  kind_ = format::get_name(header.kind);

  std::vector<format::SectionEntry> table(header.section_count);
  read_at(sizeof header, std::as_writable_bytes(std::span(table)));
  if (crc32c(std::as_bytes(std::span(table))) != header.table_checksum) throw_corrupt("has a damaged section table");

  // Sections are contiguous, each is padded to the alignment, and the last one ends the file.
  std::uint64_t end = sizeof header + std::as_bytes(std::span(table)).size();
  std::unordered_set<std::string_view> names;
  for (const format::SectionEntry& entry : table) {
    const std::string_view name = format::get_name(entry.name);
    const std::size_t element_bytes = format::dtype_size(entry.dtype);
    const bool reserved_is_zero = !entry.reserved[0] && !entry.reserved[1] && !entry.reserved[2];
    if (name.empty() || !names.insert(name).second || !element_bytes || !reserved_is_zero)
      throw_corrupt("has an invalid section table");
    if (entry.offset != end || entry.length > size - end || entry.length % element_bytes ||
        format::padding_after(entry.length) > size - end - entry.length) {
      throw_corrupt("has section " + in_quotes(name) + " at a wrong offset");
    }
    end += entry.length + format::padding_after(entry.length);
    sections_.push_back({std::string(name), static_cast<DType>(entry.dtype), entry.checksum,
                         static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.length)});
  }
  if (end != size) throw_corrupt("has extra bytes after its last section");
  for (const Section& section : sections_)
    if (!is_deferred(section.name)) verify(section, [] {});
}

bool FileReader::is_deferred(std::string_view name) const noexcept { return defers_ && defers_(kind_, name); }

void FileReader::verify(function_ref<void()> poll) const {
  for (const Section& section : sections_)
    if (is_deferred(section.name)) verify(section, poll);
}

void FileReader::verify(const Section& section, function_ref<void()> poll) const {
  if (checksum_at(section.offset, section.length, poll) != section.checksum) {
    throw_corrupt("is damaged in section " + in_quotes(section.name));
  }
  std::byte padding[alignment];
  const auto padding_bytes = std::span(padding).first(static_cast<std::size_t>(format::padding_after(section.length)));
  read_at(section.offset + section.length, padding_bytes);
  if (std::any_of(padding_bytes.begin(), padding_bytes.end(), [](std::byte byte) { return byte != std::byte{0}; })) {
    throw_corrupt("is damaged after section " + in_quotes(section.name));
  }
}

bool FileReader::contains(std::string_view name) const noexcept {
  return std::any_of(sections_.begin(), sections_.end(), [&](const Section& section) { return section.name == name; });
}

std::string FileReader::text(std::string_view name) const {
  const Section& section = find(name, DType::bytes);
  std::string value(section.length, '\0');
  read(section, std::as_writable_bytes(std::span(value)));
  return value;
}

const FileReader::Section& FileReader::find(std::string_view name, DType dtype) const {
  for (const Section& section : sections_) {
    if (section.name != name) continue;
    if (section.dtype == dtype) return section;
    throw_corrupt("has section " + in_quotes(name) + " of an unexpected dtype");
  }
  throw_corrupt("has no section " + in_quotes(name));
}

void FileReader::read(const Section& section, std::span<std::byte> out) const {
  std::uint32_t checksum = 0;
  for (std::size_t done = 0; done < out.size(); done += checksum_chunk) {
    const auto part = out.subspan(done, std::min(checksum_chunk, out.size() - done));
    read_at(section.offset + done, part);
    // Memory was verified in parse(). A file may have changed since, so verify what was read.
    if (file_) checksum = crc32c(part, checksum);
  }
  if (file_ && checksum != section.checksum)
    throw_corrupt("changed in section " + in_quotes(section.name) + " while it was read");
}

void FileReader::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (file_) {
    file_->read_at(offset, out);
  } else if (!out.empty()) {
    std::memcpy(out.data(), memory_.data() + offset, out.size());
  }
}

std::uint32_t FileReader::checksum_at(std::uint64_t offset, std::uint64_t length, function_ref<void()> poll) const {
  if (!file_) return crc32c(memory_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)));
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(length, checksum_chunk)));
  std::uint32_t checksum = 0;
  for (std::uint64_t done = 0; done < length; done += buffer.size()) {
    poll();
    const auto part =
        std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(length - done, checksum_chunk)));
    file_->read_at(offset + done, part);
    checksum = crc32c(part, checksum);
  }
  return checksum;
}

void FileReader::throw_corrupt(const std::string& error) const { throw CorruptFile(name_ + " " + error); }

}  // namespace lookalike
