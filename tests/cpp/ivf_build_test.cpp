// Out-of-core builds produce the same bytes as adding all rows at once.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "clusters.hpp"
#include "index/ivf/build.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

constexpr std::size_t memory = std::size_t{64} << 20;

IvfSettings few_lists(Quantization codes = Quantization::automatic) {
  IvfSettings settings;
  settings.nlist = 40;
  settings.codes = codes;
  return settings;
}

void built(const std::filesystem::path& path, const std::vector<VectorsView>& chunks, Metric metric,
           const IvfSettings& settings, const std::optional<IdsView>& ids = {}) {
  IvfBuild build(path, metric, settings, memory);
  for (const VectorsView& chunk : chunks) build.append(chunk, 2);
  std::size_t done = 0;
  build.finish(ids, 2, [&](std::size_t rows) {
    CHECK(rows > done);
    done = rows;
  });
}

std::vector<VectorsView> cut(const VectorsView& rows, std::size_t step) {
  std::vector<VectorsView> chunks;
  for (std::size_t first = 0; first < rows.count; first += step)
    chunks.push_back(rows.slice(first, std::min(step, rows.count - first)));
  return chunks;
}

TEST_CASE("a file built from chunks equals the file of one addition") {
  const TemporaryFolder folder;
  struct Case {
    Metric metric;
    Element element;
    Quantization codes;
    std::size_t rows;
  };
  for (const Case& c : std::vector<Case>{{Metric::l2, Element::f32, Quantization::automatic, 3000},
                                         {Metric::ip, Element::f32, Quantization::automatic, 3000},
                                         {Metric::cosine, Element::f16, Quantization::rabitq, 3000},
                                         {Metric::cosine, Element::f32, Quantization::f16, 2500},
                                         {Metric::l2, Element::u8, Quantization::u4, 2000},
                                         {Metric::ip, Element::s8, Quantization::automatic, 2000},
                                         {Metric::hamming, Element::bits, Quantization::automatic, 2000},
                                         {Metric::l2, Element::f32, Quantization::automatic, 500}}) {
    CAPTURE(static_cast<int>(c.metric));
    CAPTURE(static_cast<int>(c.element));
    const testing::Vectors rows = testing::clustered(c.rows, 72, c.element, 5);
    Ivf index(0, c.metric, few_lists(c.codes));
    index.add(rows.view(), 1);
    index.save([&](const FileWriter& file) { file.save(folder / "added"); });
    built(folder / "built", cut(rows.view(), 700), c.metric, few_lists(c.codes));
    CHECK(read_file(folder / "built") == read_file(folder / "added"));
  }
  CHECK(folder.files() == 2);
}

TEST_CASE("chunks of different element types are stored as in one addition") {
  const TemporaryFolder folder;
  std::mt19937 random(3);
  std::vector<float> values(2000 * 8);
  for (float& value : values) value = static_cast<float>(random() % 256);
  const auto rows = [&] {
    return VectorsView{reinterpret_cast<const std::byte*>(values.data()), Element::f32, 2000, 8, 32};
  };
  const auto check = [&](const char* what) {
    CAPTURE(what);
    Ivf index(0, Metric::cosine, few_lists());
    index.add(rows(), 1);
    index.save([&](const FileWriter& file) { file.save(folder / "added"); });
    built(folder / "built", cut(rows(), 300), Metric::cosine, few_lists());
    CHECK(read_file(folder / "built") == read_file(folder / "added"));
  };
  check("u8");
  values[1900 * 8] = -1;  // the last chunk converts the stored u8 to f32
  check("f32");
  for (float& value : values) value = static_cast<float>(random() % 128);
  values[1000 * 8] = -3;
  check("s8");
  values[1999 * 8 + 7] = 0.5f;
  check("f32 again");
}

TEST_CASE("given ids are used or rejected, and a failed build leaves no files") {
  const TemporaryFolder folder;
  const testing::Vectors rows = testing::clustered(1500, 16, Element::f32, 5);
  std::vector<std::int64_t> ids(1500);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(7 * i % 1500);
  built(folder / "a", {rows.view()}, Metric::l2, few_lists(), IdsView{ids});
  const auto index = Ivf::load(FileReader::open(folder / "a", true));
  const Array<std::int64_t> kept = index->records().ids().integers;
  CHECK(std::equal(kept.begin(), kept.end(), ids.begin(), ids.end()));
  const std::vector<std::byte> before = read_file(folder / "a");

  ids[3] = ids[4];
  CHECK_THROWS_AS(built(folder / "a", {rows.view()}, Metric::l2, few_lists(), IdsView{ids}), InvalidArgument);
  ids.resize(1499);
  CHECK_THROWS_AS(built(folder / "a", {rows.view()}, Metric::l2, few_lists(), IdsView{ids}), InvalidArgument);
  const testing::Vectors narrow = testing::clustered(10, 15, Element::f32, 5);
  CHECK_THROWS_AS(built(folder / "a", {rows.view(), narrow.view()}, Metric::l2, few_lists()), DimensionMismatch);
  CHECK_THROWS_AS(IvfBuild(folder / "a", Metric::l2, few_lists(), 1000), InvalidArgument);
  CHECK_THROWS_AS(IvfBuild(folder / "missing" / "a", Metric::l2, few_lists(), memory), IoError);
  {
    IvfBuild stopped(folder / "a", Metric::l2, few_lists(), memory);
    stopped.append(rows.view(), 1);
    CHECK_THROWS_AS(stopped.finish({}, 1, [](std::size_t) { throw Interrupted(); }), Interrupted);
  }
  CHECK(read_file(folder / "a") == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("a build without rows writes no file") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(built(folder / "none", {}, Metric::l2, few_lists()), InvalidArgument);
  CHECK(folder.files() == 0);
}

TEST_CASE("rows whose squares overflow float get no lists") {
  const TemporaryFolder folder;
  std::vector<float> values(1200 * 4, 1.0f);
  values[5] = 3e30f;
  const VectorsView rows{reinterpret_cast<const std::byte*>(values.data()), Element::f32, 1200, 4, 16};
  Ivf index(0, Metric::l2, few_lists());
  index.add(rows, 1);
  index.save([&](const FileWriter& file) { file.save(folder / "added"); });
  built(folder / "built", cut(rows, 100), Metric::l2, few_lists());
  CHECK(read_file(folder / "built") == read_file(folder / "added"));
}

}  // namespace
}  // namespace lookalike
