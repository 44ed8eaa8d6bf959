// IVF files with inconsistent sections and valid checksums are rejected, or at least harmless.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/flat/flat.hpp"
#include "index/ivf/ivf.hpp"
#include "storage/crc32c.hpp"
#include "storage/format.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::saved;
using testing::Vectors;

using Bytes = std::vector<std::byte>;

/// The file with one changed section and recomputed checksums.
std::shared_ptr<Bytes> forged(const Bytes& whole, const std::string& section,
                              const std::function<void(std::span<std::byte>)>& change) {
  auto bytes = std::make_shared<Bytes>(whole);
  format::Header header;
  std::memcpy(&header, bytes->data(), sizeof header);
  std::vector<format::SectionEntry> table(header.section_count);
  const std::size_t table_bytes = table.size() * sizeof(format::SectionEntry);
  std::memcpy(table.data(), bytes->data() + sizeof header, table_bytes);
  bool is_there = false;
  for (format::SectionEntry& entry : table) {
    if (format::get_name(entry.name) != section) continue;
    const std::span<std::byte> part(bytes->data() + entry.offset, entry.length);
    change(part);
    entry.checksum = crc32c(part);
    is_there = true;
  }
  REQUIRE(is_there);
  header.table_checksum = crc32c(std::as_bytes(std::span(table)));
  header.header_checksum = crc32c(std::as_bytes(std::span(&header, 1)).first(60));
  std::memcpy(bytes->data(), &header, sizeof header);
  std::memcpy(bytes->data() + sizeof header, table.data(), table_bytes);
  return bytes;
}

/// Overwrites element `at` of a section with `value`.
template <class T>
std::function<void(std::span<std::byte>)> with(std::size_t at, T value) {
  return [=](std::span<std::byte> bytes) {
    REQUIRE((at + 1) * sizeof value <= bytes.size());
    std::memcpy(bytes.data() + at * sizeof value, &value, sizeof value);
  };
}

std::shared_ptr<Bytes> built(Quantization codes, Metric metric = Metric::ip) {
  IvfSettings settings;
  settings.nlist = 20;
  settings.codes = codes;
  Ivf index(0, metric, settings);
  index.add(clustered(1100, 40, Element::f32, 1).view(), 1);
  index.set_tuning({{0.5f, 0.9f}, {2, 9}, 9, {}});
  return saved(index);
}

std::string rejection(std::shared_ptr<Bytes> bytes) {
  try {
    Ivf::load(FileReader::from_bytes(std::move(bytes)));
  } catch (const CorruptFile& error) {
    return error.what();
  }
  return "accepted";
}

TEST_CASE("inconsistent sections with valid checksums are corrupt") {
  const Bytes whole = *built(Quantization::u4);
  CHECK(rejection(forged(whole, "seed", with<std::uint64_t>(0, 5))) == "accepted");
  struct Case {
    std::string section;
    std::function<void(std::span<std::byte>)> change;
  };
  const std::vector<Case> cases = {
      {"walk_codes", with<std::uint8_t>(0, 9)},
      {"walk_codes", with<std::uint8_t>(0, 7)},
      {"keep", with<std::uint8_t>(0, 6)},
      {"keep", with<std::uint8_t>(0, 5)},
      {"keeps_codes_only", with<std::uint8_t>(0, 1)},
      {"nlist", with<std::uint64_t>(0, ~0ull)},
      {"usual_nprobe", with<std::uint64_t>(0, ~0ull)},
      {"tuned_recalls", with<float>(0, 1.5f)},
      {"tuned_recalls", with<float>(0, std::numeric_limits<float>::quiet_NaN())},
      {"lifted_length", with<float>(0, -1.0f)},
      {"lifted_length", with<float>(0, std::numeric_limits<float>::quiet_NaN())},
      {"listed", with<std::uint64_t>(0, 1101)},
      {"listed", with<std::uint64_t>(0, 1000)},
      {"has_lists", with<std::uint8_t>(0, 0)},
      {"scans_codes", with<std::uint8_t>(0, 0)},
      {"list_sizes", with<std::uint32_t>(0, 0)},
      {"list_sizes", with<std::uint32_t>(3, 0xffffffff)},
      {"list_rows", with<std::uint32_t>(5, 1100)},
      {"list_rows", with<std::uint32_t>(5, no_row)},
      {"code_width", with<std::uint8_t>(0, 9)},
      {"code_width", with<std::uint8_t>(0, 3)},
      {"code_stride", with<std::uint64_t>(0, 63)},
  };
  for (const Case& bad : cases) {
    CAPTURE(bad.section);
    CHECK(rejection(forged(whole, bad.section, bad.change)) != "accepted");
  }
  // A row that is listed twice.
  CHECK(rejection(forged(whole, "list_rows", [](std::span<std::byte> bytes) {
          std::memcpy(bytes.data(), bytes.data() + sizeof(Row), sizeof(Row));
        })) != "accepted");
}

TEST_CASE("vectors may be missing only with keep=none and if every row is in a list") {
  IvfSettings settings;
  settings.codes = Quantization::u4;
  settings.drops_originals = true;
  Ivf index(0, Metric::l2, settings);
  index.add(clustered(1100, 40, Element::f32, 1).view(), 1);
  const Bytes whole = *saved(index);
  CHECK(rejection(forged(whole, "seed", with<std::uint64_t>(0, 5))) == "accepted");
  CHECK(rejection(forged(whole, "listed", with<std::uint64_t>(0, 1099))) != "accepted");
  CHECK(rejection(forged(whole, "has_lists", with<std::uint8_t>(0, 0))) != "accepted");
  CHECK(rejection(forged(whole, "scans_codes", with<std::uint8_t>(0, 0))) != "accepted");
  CHECK(rejection(forged(whole, "codes", with<std::uint8_t>(0, 0))) != "accepted");
  CHECK(rejection(forged(whole, "keeps_codes_only", with<std::uint8_t>(0, 0))) != "accepted");
  Flat list(0, Metric::l2, Storage::automatic);
  list.add(clustered(3, 40, Element::f32, 1).view(), 1);
  CHECK_THROWS_AS(Flat::load(FileReader::from_bytes(forged(*saved(list), "codes", with<std::uint8_t>(0, 6)))),
                  CorruptFile);
}

TEST_CASE("invalid values that are not validated do no harm") {
  const Vectors queries = clustered(5, 40, Element::f32, 2);
  for (const Quantization codes : {Quantization::u4, Quantization::f32, Quantization::rabitq})
    for (const char* section : {"centroids", "code_center", "code_directions", "list_codes", "tuned_nprobes"})
      for (const int byte : {0x00, 0x7f, 0xff}) {
        CAPTURE(std::string(section));
        CAPTURE(byte);
        const auto bytes = forged(*built(codes, Metric::l2), section, [&](std::span<std::byte> part) {
          std::fill(part.begin(), part.end(), static_cast<std::byte>(byte));
        });
        try {
          const auto index = Ivf::load(FileReader::from_bytes(bytes));
          const testing::Found found = testing::search(*index, queries.view(), 10, 5);
          CHECK(testing::is_in_order(found));
        } catch (const CorruptFile&) {
        }
      }
}

}  // namespace
}  // namespace lookalike
