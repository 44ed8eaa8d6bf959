#include "storage/file.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/crc32c.hpp"
#include "storage/format.hpp"
#include "system.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

using Bytes = std::vector<std::byte>;

const std::vector<float> vectors = {1.5f, -2.0f, 3.25f, 0.0f, 5.0f};
const std::vector<std::int64_t> ids = {10, -20, 30};

FileWriter small_writer() {
  FileWriter writer("flat");
  writer.array<float>("vectors", vectors);
  writer.array<std::int64_t>("ids", ids);
  writer.value<std::uint32_t>("dim", 5);
  writer.text("note", "h\u00e9llo");
  writer.array<std::uint8_t>("nothing", {});
  return writer;
}

Bytes bytes_of(const FileWriter& writer) {
  Bytes bytes;
  writer.write([&](std::span<const std::byte> part) { bytes.insert(bytes.end(), part.begin(), part.end()); });
  return bytes;
}

FileReader read(Bytes bytes) { return FileReader::from_bytes(std::make_shared<const Bytes>(std::move(bytes))); }

template <class T>
std::vector<T> copied(const Array<T>& array) {
  return {array.begin(), array.end()};
}

void check_small(const FileReader& reader) {
  CHECK(reader.kind() == "flat");
  CHECK(copied(reader.array<float>("vectors")) == vectors);
  CHECK(copied(reader.array<std::int64_t>("ids")) == ids);
  CHECK(reader.value<std::uint32_t>("dim") == 5);
  CHECK(reader.text("note") == "h\u00e9llo");
  CHECK(reader.array<std::uint8_t>("nothing").empty());
  CHECK(reader.contains("ids"));
  CHECK_FALSE(reader.contains("id"));
}

/// Changes the header or table of a valid file and recomputes the checksums.
Bytes forged(const std::function<void(format::Header&, format::SectionEntry*)>& change) {
  Bytes bytes = bytes_of(small_writer());
  format::Header header;
  std::vector<format::SectionEntry> table(5);
  std::memcpy(&header, bytes.data(), sizeof header);
  std::memcpy(table.data(), bytes.data() + sizeof header, std::as_bytes(std::span(table)).size());
  change(header, table.data());
  header.table_checksum = crc32c(std::as_bytes(std::span(table)));
  header.header_checksum = crc32c(std::as_bytes(std::span(&header, 1)).first(60));
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, table.data(), std::as_bytes(std::span(table)).size());
  return bytes;
}

TEST_CASE("pieces are written as one array") {
  const std::vector<std::span<const float>> pieces = {
      std::span(vectors).first(2), {}, std::span(vectors).subspan(2, 3)};
  FileWriter apart("flat"), whole("flat");
  apart.pieces<float>("vectors", pieces);
  apart.pieces<std::int64_t>("ids", {});
  apart.value<std::uint32_t>("dim", 5);
  whole.array<float>("vectors", vectors);
  whole.array<std::int64_t>("ids", {});
  whole.value<std::uint32_t>("dim", 5);
  CHECK(bytes_of(apart) == bytes_of(whole));
  CHECK(copied(read(bytes_of(apart)).array<float>("vectors")) == vectors);
  const TemporaryFolder folder;
  apart.save(folder / "apart");
  CHECK(read_file(folder / "apart") == bytes_of(whole));
}

std::string rejection(const Bytes& bytes) {
  try {
    read(bytes);
  } catch (const CorruptFile& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a written file can be read from memory, from disk and mapped") {
  const TemporaryFolder folder;
  small_writer().save(folder / "a.look");
  check_small(read(bytes_of(small_writer())));
  check_small(FileReader::open(folder / "a.look", false));
  check_small(FileReader::open(folder / "a.look", true));
  CHECK(read_file(folder / "a.look") == bytes_of(small_writer()));
  CHECK(folder.files() == 1);
}

TEST_CASE("a file may have no sections, and a section may be longer than one piece") {
  CHECK(read(bytes_of(FileWriter("empty"))).kind() == "empty");

  const TemporaryFolder folder;
  std::vector<std::uint32_t> many((std::size_t{9} << 20) / 4 + 1);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::uint32_t>(i * 2654435761u);
  FileWriter writer("big");
  writer.array<std::uint32_t>("many", many);
  writer.save(folder / "big");
  CHECK(copied(FileReader::open(folder / "big", false).array<std::uint32_t>("many")) == many);
  CHECK(copied(FileReader::open(folder / "big", true).array<std::uint32_t>("many")) == many);
}

TEST_CASE("sections are aligned; mapped ones outlive reader and file, others are owned") {
  const TemporaryFolder folder;
  small_writer().save(folder / "a");
  const auto mapped = FileReader::open(folder / "a", true).array<float>("vectors");
  const auto owned = FileReader::open(folder / "a", false).array<float>("vectors");
  const auto unpacked = read(bytes_of(small_writer())).array<float>("vectors");
  std::filesystem::remove(folder / "a");
  CHECK(mapped.is_mapped());
  CHECK_FALSE(owned.is_mapped());
  CHECK_FALSE(unpacked.is_mapped());
  for (const auto* array : {&mapped, &owned, &unpacked}) {
    CHECK(copied(*array) == vectors);
    CHECK(reinterpret_cast<std::uintptr_t>(array->data()) % alignment == 0);
  }
}

TEST_CASE("saving over a mapped file leaves the mapping unchanged") {
  const TemporaryFolder folder;
  small_writer().save(folder / "a");
  const FileReader reader = FileReader::open(folder / "a", true);
  try {
    FileWriter("other").save(folder / "a");
  } catch (const IoError& error) {
    REQUIRE((testing::may_refuse_to_replace_open_files && error.code == EACCES));
    check_small(reader);
    CHECK(folder.files() == 1);
    return;
  }
  check_small(reader);
  CHECK(FileReader::open(folder / "a", true).kind() == "other");
}

TEST_CASE("the bytes match docs/file-format.md") {
  const std::vector<float> rows = {1, 2, 3};
  FileWriter writer("tiny");
  writer.array<float>("rows", rows);
  writer.value<std::uint32_t>("dim", 3);
  const Bytes bytes = bytes_of(writer);
  REQUIRE(bytes.size() == 0x140);
  constexpr unsigned char header[64] = {
      0x89, 0x4c, 0x41, 0x4c, 0x0d, 0x0a, 0x1a, 0x0a, 0x01, 0,    0, 0, 0x04, 0x03, 0x02, 0x01,  //
      0,    0,    0,    0,    0,    0,    0,    0,    0x40, 0x01, 0, 0, 0,    0,    0,    0,     //
      0x74, 0x69, 0x6e, 0x79, 0,    0,    0,    0,    0,    0,    0, 0, 0,    0,    0,    0,     //
      0x02, 0,    0,    0,    0xbe, 0xcb, 0xf3, 0x85, 0,    0,    0, 0, 0x84, 0xb5, 0x2e, 0xc8};
  CHECK(std::memcmp(bytes.data(), header, sizeof header) == 0);
  CHECK(bytes[0xc2] == std::byte{0x80});
  CHECK(bytes[0x100] == std::byte{3});
  CHECK(crc32c(bytes) == 0x885c335c);
}

TEST_CASE("every changed byte is detected") {
  const Bytes right = bytes_of(small_writer());
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (const unsigned change : {0x01u, 0x20u, 0x80u, 0xffu}) {
      CAPTURE(i);
      Bytes wrong = right;
      wrong[i] ^= static_cast<std::byte>(change);
      REQUIRE_THROWS_AS(read(wrong), CorruptFile);
    }
  }
}

TEST_CASE("every truncation and every appended byte is detected") {
  const Bytes right = bytes_of(small_writer());
  for (std::size_t size = 0; size < right.size(); ++size) {
    CAPTURE(size);
    REQUIRE_THROWS_AS(read(Bytes(right.begin(), right.begin() + static_cast<std::ptrdiff_t>(size))), CorruptFile);
  }
  for (const std::size_t more : {1, 63, 64, 4096}) {
    Bytes longer = right;
    longer.resize(right.size() + more);
    CHECK_THROWS_AS(read(longer), CorruptFile);
  }
}

TEST_CASE("changed and truncated files on disk are rejected, read or mapped") {
  const TemporaryFolder folder;
  const Bytes right = bytes_of(small_writer());
  for (std::size_t i = 0; i < right.size(); i += 7) {
    CAPTURE(i);
    Bytes wrong = right;
    wrong[i] ^= std::byte{4};
    write_file(folder / "changed", wrong);
    write_file(folder / "cut", std::span(right).first(i));
    for (const std::string name : {"changed", "cut"}) {
      REQUIRE_THROWS_AS(FileReader::open(folder / name, false), CorruptFile);
      REQUIRE_THROWS_AS(FileReader::open(folder / name, true), CorruptFile);
    }
  }
}

TEST_CASE("a file that changes after open is rejected on read") {
  const TemporaryFolder folder;
  Bytes bytes = bytes_of(small_writer());
  write_file(folder / "a", bytes);
  const FileReader reader = FileReader::open(folder / "a", false);
  bytes[64 + 5 * 64] ^= std::byte{1};  // the first byte of the first section
  write_file(folder / "a", bytes);
  CHECK_THROWS_AS(reader.array<float>("vectors"), CorruptFile);
  write_file(folder / "a", {});
  CHECK_THROWS_AS(reader.array<std::int64_t>("ids"), CorruptFile);
}

TEST_CASE("a newer file asks for an upgrade") {
  const auto message = [](const Bytes& bytes) -> std::string {
    try {
      read(bytes);
    } catch (const Unsupported& error) {
      return error.what();
    }
    return "no Unsupported";
  };
  const auto newer = forged([](format::Header& header, auto*) { header.version = 2; });
  const auto feature = forged([](format::Header& header, auto*) { header.features = 4; });
  const auto foreign = forged([](format::Header& header, auto*) { header.byte_order = format::big_endian; });
  CHECK(message(newer).find("newer lookalike") != std::string::npos);
  CHECK(message(newer).find("upgrade") != std::string::npos);
  CHECK(message(feature).find("newer lookalike") != std::string::npos);
  CHECK(message(foreign).find("big-endian") != std::string::npos);
}

TEST_CASE("forged headers and tables are rejected before any allocation or access") {
  using Header = format::Header;
  using Entry = format::SectionEntry;
  constexpr std::uint64_t huge = ~std::uint64_t{0};
  CHECK(rejection(forged([](Header&, Entry*) {})) == "accepted");
  const std::vector<std::function<void(Header&, Entry*)>> forgeries = {
      [](Header& header, Entry*) { header.version = 0; },
      [](Header& header, Entry*) { header.byte_order = 0; },
      [](Header& header, Entry*) { header.file_length += 64; },
      [](Header& header, Entry*) { header.reserved = 1; },
      [](Header& header, Entry*) { std::memset(header.kind, 0, sizeof header.kind); },
      [](Header& header, Entry*) { header.kind[10] = 'x'; },
      [](Header& header, Entry*) { header.section_count = 0; },
      [](Header& header, Entry*) { header.section_count = 4; },
      [](Header& header, Entry*) { header.section_count = 6; },
      [](Header& header, Entry*) { header.section_count = 0xffffffff; },
      [](Header&, Entry* table) { std::memset(table[0].name, 0, sizeof table[0].name); },
      [](Header&, Entry* table) { table[0].name[30] = 'x'; },
      [](Header&, Entry* table) { std::memcpy(table[1].name, table[0].name, sizeof table[0].name); },
      [](Header&, Entry* table) { table[2].dtype = 11; },
      [](Header&, Entry* table) { table[2].reserved[1] = 1; },
      [](Header&, Entry* table) {
        table[0].dtype = static_cast<std::uint8_t>(DType::f64);
      },  // 20 bytes are no multiple of 8
      [](Header&, Entry* table) { table[0].offset += 64; },
      [](Header&, Entry* table) { table[0].offset = 0; },
      [](Header&, Entry* table) { table[1].offset = huge - 63; },
      [](Header&, Entry* table) { table[0].length += 4; },
      [](Header&, Entry* table) { table[0].length += 64; },
      [](Header&, Entry* table) { table[3].length = huge; },
      [](Header&, Entry* table) { table[4].length = huge - 62; },
      [](Header&, Entry* table) { table[4].length = 1; },
  };
  for (std::size_t i = 0; i < forgeries.size(); ++i) {
    CAPTURE(i);
    CHECK(rejection(forged(forgeries[i])) != "accepted");
  }
}

TEST_CASE("errors name a section that is missing, has another dtype or not exactly one value") {
  const FileReader reader = read(bytes_of(small_writer()));
  CHECK_THROWS_WITH_AS(reader.array<float>("norms"), "the saved index has no section 'norms'", CorruptFile);
  CHECK_THROWS_AS(reader.array<double>("vectors"), CorruptFile);
  CHECK_THROWS_AS(reader.value<float>("vectors"), CorruptFile);
  CHECK_THROWS_AS(reader.text("dim"), CorruptFile);
}

TEST_CASE("invalid names are rejected on write") {
  const auto with_section = [](const std::string& name) {
    FileWriter writer("flat");
    writer.value<int>(name, 1);
    return bytes_of(writer);
  };
  CHECK_NOTHROW(read(with_section(std::string(40, 'n'))));
  CHECK_THROWS_AS(with_section(std::string(41, 'n')), InvalidArgument);
  CHECK_THROWS_AS(with_section(""), InvalidArgument);
  CHECK_THROWS_AS(with_section(std::string("a\0b", 3)), InvalidArgument);
  CHECK_NOTHROW(bytes_of(FileWriter(std::string(16, 'k'))));
  CHECK_THROWS_AS(bytes_of(FileWriter(std::string(17, 'k'))), InvalidArgument);
  FileWriter twice("flat");
  twice.value<int>("same", 1);
  twice.value<int>("same", 2);
  CHECK_THROWS_AS(bytes_of(twice), InvalidArgument);
}

TEST_CASE("foreign files are rejected") {
  const TemporaryFolder folder;
  const auto error_number = [](const std::filesystem::path& path, bool map) {
    try {
      FileReader::open(path, map);
    } catch (const IoError& error) {
      return error.code;
    }
    return 0;
  };
  for (const bool map : {false, true}) {
    CHECK(error_number(folder / "missing", map) == ENOENT);
    CHECK(error_number(folder.path(), map) == EISDIR);
    CHECK_THROWS_AS(FileReader::open(testing::null_device, map), InvalidArgument);
    write_file(folder / "empty", {});
    CHECK_THROWS_AS(FileReader::open(folder / "empty", map), CorruptFile);
    const std::string text(500, 'x');
    write_file(folder / "text", std::as_bytes(std::span(text)));
    CHECK_THROWS_AS(FileReader::open(folder / "text", map), CorruptFile);
  }
}

}  // namespace
}  // namespace lookalike
