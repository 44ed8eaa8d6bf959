// Concurrency of Flat indexes, and corrupt files.
#include "index/flat/flat.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

#include "index/any_index.hpp"

namespace lookalike {
namespace {

constexpr std::size_t dim = 6;

VectorsView view_of(const std::vector<float>& values) {
  return {reinterpret_cast<const std::byte*>(values.data()), Element::f32, values.size() / dim, dim,
          dim * sizeof(float)};
}

/// Rows whose first element is their id and whose other elements are `rest`.
std::vector<float> rows_for(const std::vector<std::int64_t>& ids, float fill) {
  std::vector<float> values;
  for (const std::int64_t id : ids) {
    values.push_back(static_cast<float>(id));
    values.insert(values.end(), dim - 1, fill);
  }
  return values;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> ids(static_cast<std::size_t>(count));
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

struct Found {
  explicit Found(std::size_t count) : ids(count), distances(count) {}
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
};

Found search(const Flat& index, const std::vector<float>& queries, std::size_t k, const Where& where = {}) {
  Found found(queries.size() / dim * k);
  Answer answer;
  answer.ids = found.ids;
  answer.distances = found.distances;
  index.search(view_of(queries), k, where, 1, answer);
  return found;
}

TEST_CASE("readers see only complete changes while one writer adds, replaces, promotes, removes and compacts") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    Flat index(0, metric, Storage::automatic);
    const std::vector<std::int64_t> unchanged_ids = range(0, 50);
    index.add(view_of(rows_for(unchanged_ids, 1)), {unchanged_ids, nullptr}, 1);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0;
    std::thread writer([&] {
      for (int step = 0; step < 120; ++step) {
        // Halfway, values that do not fit bytes convert the store to f32 while readers run.
        const float fill = step < 60 ? static_cast<float>(step % 9) : 0.5f;
        const std::vector<std::int64_t> fresh = range(50 + 20 * step, 20);
        index.add(view_of(rows_for(fresh, fill)), {fresh, nullptr}, 2);
        index.upsert(view_of(rows_for(unchanged_ids, fill)), {unchanged_ids, nullptr}, 1);
        index.remove({std::span(fresh).subspan(2), nullptr});
        if (step % 16 == 15) index.optimize();
      }
      done = true;
    });
    const auto read = [&] {
      while (!done) {
        const Found found = search(index, rows_for({7, 30}, 0.25f), 9);
        for (const float distance : found.distances) wrong += !(distance < 1e9f);
        const OwnedVectors vectors = index.records().get({unchanged_ids, nullptr});
        for (std::size_t i = 0; i < unchanged_ids.size(); ++i) {
          const std::byte* row = vectors.bytes.data() + i * dim * element_size(vectors.element);
          const float first = vectors.element == Element::u8 ? static_cast<float>(std::to_integer<int>(*row))
                                                             : *reinterpret_cast<const float*>(row);
          wrong += first != static_cast<float>(unchanged_ids[i]);
        }
        wrong += index.records().size() < 50 || index.records().ids().integers.size() < 50;
      }
    };
    std::thread readers[] = {std::thread(read), std::thread(read)};
    writer.join();
    for (std::thread& reader : readers) reader.join();
    CHECK(wrong == 0);
    CHECK(index.records().size() == 50 + 2 * 120);
    CHECK(index.records().element() == Element::f32);
  }
}

TEST_CASE("many readers build the lookup of string ids concurrently") {
  Flat index(0, Metric::l2, Storage::automatic);
  Strings names;
  const std::vector<std::int64_t> ids = range(0, 2000);
  for (const std::int64_t id : ids) names.push_back("name " + std::to_string(id));
  index.add(view_of(rows_for(ids, 0)), {{}, &names}, 1);
  std::atomic<int> found = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      Strings one;
      one.push_back("name 1234");
      found += index.records().contains({{}, &one});
    });
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(found == 4);
}

TEST_CASE("a loaded index equals the saved one, and an inconsistent file is corrupt") {
  Flat index(0, Metric::cosine, Storage::automatic);
  const std::vector<std::int64_t> ids = {30, 10, 20, 40};
  index.add(view_of(rows_for(ids, 0.5f)), {ids, nullptr}, 1);
  const std::vector<std::int64_t> removed = {10};
  index.remove({removed, nullptr});
  auto bytes = std::make_shared<std::vector<std::byte>>();
  index.save([&](const FileWriter& file) {
    file.write([&](std::span<const std::byte> piece) { bytes->insert(bytes->end(), piece.begin(), piece.end()); });
  });
  AnyIndex loaded = Indexes::load(FileReader::from_bytes(bytes));
  const Flat& same = *std::get<std::unique_ptr<Flat>>(loaded);
  CHECK(same.records().size() == 3);
  const std::vector<float> query = rows_for({20}, 0.5f);
  CHECK(search(same, query, 4).ids == search(index, query, 4).ids);
  CHECK(search(same, query, 4).distances == search(index, query, 4).distances);

  FileWriter other("tree");
  auto foreign = std::make_shared<std::vector<std::byte>>();
  other.write([&](std::span<const std::byte> piece) { foreign->insert(foreign->end(), piece.begin(), piece.end()); });
  CHECK_THROWS_AS(Indexes::load(FileReader::from_bytes(foreign)), Unsupported);
}

/// A file with one inconsistent section.
std::shared_ptr<const std::vector<std::byte>> file_with(std::uint64_t rows, std::uint64_t stored_dim,
                                                        std::uint8_t element, std::uint8_t metric, std::size_t id_count,
                                                        std::size_t norms) {
  const std::vector<std::byte> vectors(2 * 4);
  const std::vector<std::int64_t> ids = range(0, static_cast<std::int64_t>(id_count));
  const std::vector<float> inverse(norms, 1);
  FileWriter file("flat");
  file.value<std::uint8_t>("metric", metric);
  file.value<std::uint64_t>("dim", 4);
  file.value<std::uint8_t>("codes", 0);
  file.value<std::uint8_t>("element", element);
  file.value<std::uint64_t>("stored_dim", stored_dim);
  file.value<std::uint64_t>("rows", rows);
  file.array<std::byte>("vectors", vectors);
  file.array<float>("inverse_norms", inverse);
  file.value<double>("largest_norm", 1);
  file.value<std::uint8_t>("id_kind", 1);
  file.value<std::int64_t>("next_id", 100);
  file.array<std::int64_t>("ids", ids);
  file.array<std::uint64_t>("live", {});
  auto bytes = std::make_shared<std::vector<std::byte>>();
  file.write([&](std::span<const std::byte> piece) { bytes->insert(bytes->end(), piece.begin(), piece.end()); });
  return bytes;
}

TEST_CASE("inconsistent sizes with valid checksums are corrupt") {
  const auto u8 = static_cast<std::uint8_t>(Element::u8), l2 = static_cast<std::uint8_t>(Metric::l2);
  CHECK_NOTHROW(Flat::load(FileReader::from_bytes(file_with(2, 4, u8, l2, 2, 0))));
  struct Case {
    std::uint64_t rows, stored_dim;
    std::uint8_t element, metric;
    std::size_t ids, norms;
  };
  const auto f32 = static_cast<std::uint8_t>(Element::f32), bits = static_cast<std::uint8_t>(Element::bits);
  const auto cosine = static_cast<std::uint8_t>(Metric::cosine), hamming = static_cast<std::uint8_t>(Metric::hamming);
  for (const Case& bad : {Case{3, 4, u8, l2, 3, 0}, Case{2, 4, f32, l2, 2, 0}, Case{2, 4, u8, l2, 3, 0},
                          Case{2, 4, u8, cosine, 2, 1}, Case{2, 4, bits, l2, 2, 0}, Case{2, 4, u8, hamming, 2, 0},
                          Case{4, 2, u8, l2, 4, 0}, Case{2, 4, 9, l2, 2, 0}, Case{2, 4, u8, 9, 2, 0},
                          Case{~0ull, 4, u8, l2, 2, 0}, Case{2, ~0ull, u8, l2, 2, 0}, Case{2, 4, u8, l2, 2, 2}}) {
    CHECK_THROWS_AS(Flat::load(FileReader::from_bytes(
                        file_with(bad.rows, bad.stored_dim, bad.element, bad.metric, bad.ids, bad.norms))),
                    CorruptFile);
  }
}

}  // namespace
}  // namespace lookalike
