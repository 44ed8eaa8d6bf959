// A memory-mapped IVF index: searches read only probed lists, and unverified sections do no harm.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "index/any_index.hpp"
#include "storage/format.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows = 3000, dim = 80;

std::vector<float> clustered() {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> centers(20 * dim), values(rows * dim);
  for (float& value : centers) value = 4 * normal(random);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = centers[i / dim % 20 * dim + i % dim] + normal(random);
  return values;
}

VectorsView view(const std::vector<float>& values, std::size_t count = rows) {
  return {reinterpret_cast<const std::byte*>(values.data()), Element::f32, count, dim, dim * sizeof(float)};
}

std::unique_ptr<Ivf> made(const std::vector<float>& values, Metric metric, Quantization codes) {
  IvfSettings settings;
  settings.nlist = 40;
  settings.codes = codes;
  auto index = std::make_unique<Ivf>(0, metric, settings);
  index->add(view(values), 1);
  return index;
}

std::unique_ptr<Ivf> mapped(const std::filesystem::path& path) {
  return Ivf::load(FileReader::open(path, true, &Indexes::defers));
}

struct Found {
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
  bool operator==(const Found&) const = default;
};

Found search(const Ivf& index, const std::vector<float>& values, std::size_t count, std::size_t nprobe) {
  constexpr std::size_t k = 10;
  Found found{std::vector<std::int64_t>(count * k), std::vector<float>(count * k)};
  Answer answer;
  answer.ids = found.ids;
  answer.distances = found.distances;
  index.search(view(values, count), k, nprobe, {}, 1, answer);
  return found;
}

struct Place {
  std::size_t offset, length;
};

Place place_of(const std::vector<std::byte>& file, const std::string& name) {
  format::Header header;
  std::memcpy(&header, file.data(), sizeof header);
  for (std::size_t i = 0; i < header.section_count; ++i) {
    format::SectionEntry entry;
    std::memcpy(&entry, file.data() + sizeof header + i * sizeof entry, sizeof entry);
    if (format::get_name(entry.name) == name) return {entry.offset, entry.length};
  }
  FAIL("no section " << name);
  return {};
}

TEST_CASE("a mapped index gives the same results as one in memory, also after changes") {
  const TemporaryFolder folder;
  const std::vector<float> values = clustered();
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const Quantization codes : {Quantization::automatic, Quantization::f32, Quantization::rabitq}) {
      const auto index = made(values, metric, codes);
      index->save([&](const FileWriter& file) { file.save(folder / "a"); });
      const auto copy = mapped(folder / "a");
      for (const std::size_t nprobe : {1, 5, 40}) {
        CHECK(search(*index, values, 1, nprobe) == search(*copy, values, 1, nprobe));
        CHECK(search(*index, values, 200, nprobe) == search(*copy, values, 200, nprobe));
      }
      CHECK_NOTHROW(copy->verify());
      index->add(view(values, 20), 1);
      copy->add(view(values, 20), 1);
      CHECK(search(*index, values, 50, 5) == search(*copy, values, 50, 5));
    }
  }
}

TEST_CASE("deferred sections are not read at open, all others are") {
  const TemporaryFolder folder;
  const std::vector<float> values = clustered();
  made(values, Metric::cosine, Quantization::automatic)->save([&](const FileWriter& file) { file.save(folder / "a"); });
  const std::vector<std::byte> right = read_file(folder / "a");
  for (const std::string name : {"vectors", "inverse_norms", "ids", "list_rows", "list_codes"}) {
    CAPTURE(name);
    std::vector<std::byte> wrong = right;
    wrong[place_of(right, name).offset + 5] ^= std::byte{0x10};
    write_file(folder / "wrong", wrong);
    CHECK_THROWS_AS(FileReader::open(folder / "wrong", false, &Indexes::defers), CorruptFile);
    CHECK_THROWS_AS(FileReader::open(folder / "wrong", true), CorruptFile);
    const auto index = mapped(folder / "wrong");
    CHECK_NOTHROW(search(*index, values, 20, 40));
    CHECK_THROWS_AS(index->verify(), CorruptFile);
    // Damaged sections are neither saved with a new checksum nor changed.
    CHECK_THROWS_AS(index->save([&](const FileWriter& file) { file.save(folder / "saved"); }), CorruptFile);
    CHECK_THROWS_AS(index->add(view(values, 1), 1), CorruptFile);
    CHECK_THROWS_AS(index->optimize(), CorruptFile);
    CHECK_FALSE(std::filesystem::exists(folder / "saved"));
    CHECK(index->records().size() == rows);
  }
  for (const std::string name : {"centroids", "list_sizes", "next_id", "code_directions"}) {
    CAPTURE(name);
    std::vector<std::byte> wrong = right;
    wrong[place_of(right, name).offset] ^= std::byte{1};
    write_file(folder / "wrong", wrong);
    CHECK_THROWS_AS(mapped(folder / "wrong"), CorruptFile);
  }
}

TEST_CASE("with any content of unverified sections, searches end and stay within the mapping") {
  const TemporaryFolder folder;
  const std::vector<float> values = clustered();
  std::mt19937 random(5);
  for (const Quantization codes : {Quantization::automatic, Quantization::f32, Quantization::rabitq}) {
    made(values, Metric::cosine, codes)->save([&](const FileWriter& file) { file.save(folder / "a"); });
    const std::vector<std::byte> right = read_file(folder / "a");
    for (const std::string name : {"vectors", "inverse_norms", "ids", "list_rows", "list_codes"}) {
      for (const int fill : {0xff, 0x7f, 0x80, -1}) {
        CAPTURE(name);
        CAPTURE(fill);
        std::vector<std::byte> wrong = right;
        const Place place = place_of(right, name);
        for (std::size_t i = 0; i < place.length; ++i)
          wrong[place.offset + i] = static_cast<std::byte>(fill < 0 ? random() : static_cast<unsigned>(fill));
        write_file(folder / "wrong", wrong);
        const auto index = mapped(folder / "wrong");
        for (const std::size_t nprobe : {1, 7, 40}) {
          search(*index, values, 1, nprobe);
          search(*index, values, 20, nprobe);
        }
        std::vector<std::uint8_t> mask(rows);
        for (std::size_t i = 0; i < rows; i += 3) mask[i] = 1;
        Found found{std::vector<std::int64_t>(50), std::vector<float>(50)};
        Answer answer;
        answer.ids = found.ids;
        answer.distances = found.distances;
        index->search(view(values, 5), 10, 3, std::span<const std::uint8_t>(mask), 1, answer);
        index->range(view(values, 5), 0.3f, {}, 1);
        const std::vector<std::int64_t> admitted = {0, 7, 2999};
        const bool has_seven = index->records().contains({std::span(admitted).subspan(1, 1)});
        CHECK((has_seven || name == "ids"));
      }
    }
  }
}

}  // namespace
}  // namespace lookalike
