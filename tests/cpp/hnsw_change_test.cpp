// Additions, replacements and removals in an HNSW index: results stay correct and every row stays reachable.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "answers.hpp"
#include "clusters.hpp"
#include "index/any_index.hpp"
#include "index/hnsw/hnsw.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::clustered_floats;
using testing::Found;
using testing::id_range;
using testing::recall_of;
using testing::search;
using testing::Vectors;
using testing::view_of;

constexpr std::size_t dim = 24;

TEST_CASE("rows added one by one are found immediately, before and after the graph exists") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    CAPTURE(std::string(name_of(metric)));
    const std::size_t rows = 1000;
    const Vectors vectors = clustered(rows, dim, Element::f32, 1), queries = clustered(50, dim, Element::f32, 2);
    Hnsw index(0, metric, {});
    std::size_t lost = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      index.add(vectors.view(i, 1), 1);
      if (metric != Metric::ip && i % 7 == 0)
        lost += search(index, vectors.view(i, 1), 1).ids[0] != static_cast<std::int64_t>(i);
    }
    CHECK(lost <= 1);
    CHECK(index.records().size() == rows);
    CHECK(index.costs(queries.view(), 10, 40, 1).hops > 0);
    CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);
    CHECK(index.unreachable() <= 1);
    index.optimize();
    CHECK(index.unreachable() == 0);
  }
}

TEST_CASE("with ever longer vectors, results stay sorted by inner product") {
  std::vector<float> rows = clustered_floats(1500, dim, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] *= 0.01f + 0.0007f * static_cast<float>(i / dim);
  const Vectors vectors(rows, dim, Element::f32), queries = clustered(50, dim, Element::f32, 2);
  Hnsw index(0, Metric::ip, {});
  for (std::size_t i = 0; i < 1500; i += 50) index.add(vectors.view(i, 50), 2);
  CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);
}

TEST_CASE("removed rows are not found, replaced rows are found at their new vectors, and memory is released") {
  for (const std::size_t width : {dim, std::size_t{80}}) {
    const Vectors vectors = clustered(3000, width, Element::f32, 1), queries = clustered(50, width, Element::f32, 2);
    Hnsw index(0, Metric::l2, {});
    index.add(vectors.view(), 2);
    const std::vector<std::int64_t> replaced = id_range(100, 500);
    CHECK(index.remove(view_of(replaced)) == 500);
    const Found found = search(index, queries.view(), 20);
    for (const std::int64_t id : found.ids) CHECK((id < 100 || id >= 600));
    CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);
    CHECK(index.records().removed_share() > 0);

    const Vectors others = clustered(700, width, Element::f32, 3);
    const std::vector<std::int64_t> ids = id_range(2900, 700);
    index.upsert(others.view(), view_of(ids), 2);
    CHECK(index.records().size() == 3100);
    for (std::size_t i = 0; i < 700; i += 50)
      CHECK(search(index, others.view(i, 1), 1).ids[0] == static_cast<std::int64_t>(2900 + i));
    CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);

    const std::size_t before = index.bytes();
    index.remove(view_of(id_range(600, 1500)));
    CHECK(index.records().removed_share() == 0);
    CHECK(index.bytes() < before * 2 / 3);
    CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);
    CHECK(index.unreachable() == 0);
  }
}

TEST_CASE("an index shrinks to a few rows and to none, and grows again with other data") {
  const Vectors vectors = clustered(2000, 80, Element::f32, 1), queries = clustered(50, 80, Element::f32, 2);
  std::vector<float> moved = clustered_floats(3000, 80, 3), query_values = clustered_floats(50, 80, 4);
  for (float& x : moved) x = 0.01f * x + 500;
  for (float& x : query_values) x = 0.01f * x + 500;
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(), 2);
  index.remove(view_of(id_range(0, 1700)));
  CHECK(search(index, queries.view(), 400).ids[299] != no_id);
  CHECK(recall_of(index, queries.view(), 10) >= 0.99);
  index.remove(view_of(id_range(1700, 300)));
  CHECK(index.records().size() == 0);
  CHECK(search(index, queries.view(), 1).ids[0] == no_id);
  CHECK(index.unreachable() == 0);
  index.optimize();
  index.add(Vectors(moved, 80, Element::f32).view(), 2);
  CHECK(recall_of(index, Vectors(query_values, 80, Element::f32).view(), 10, 40) >= 0.95);
  CHECK(index.unreachable() == 0);
}

TEST_CASE("duplicate rows and all other rows are reachable") {
  std::vector<float> values = clustered_floats(5500, dim, 1);
  for (std::size_t i = 1; i < 5000; ++i) std::copy_n(values.begin(), dim, values.begin() + i * dim);
  const Vectors vectors(values, dim, Element::f32);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(), 2);
  CHECK(index.unreachable() == 0);
  std::size_t found = 0;
  for (std::size_t i = 5000; i < 5500; i += 5)
    found += search(index, vectors.view(i, 1), 1, 30).ids[0] == static_cast<std::int64_t>(i);
  CHECK(found >= 90);
  CHECK(index.costs(vectors.view(5000, 100), 1, 30, 1).distances < 100 * 1200);

  // The last duplicate, after the others were removed; and duplicates added one at a time.
  index.remove(view_of(id_range(0, 4990)));
  CHECK(index.unreachable() == 0);
  const Found last = search(index, vectors.view(0, 1), 10, 30);
  CHECK(std::count_if(last.ids.begin(), last.ids.end(), [](auto id) { return id >= 4990 && id < 5000; }) == 10);
  for (std::size_t i = 0; i < 600; ++i) index.add(vectors.view(0, 1), 1);
  CHECK(index.unreachable() <= 5);
  index.optimize();
  CHECK(index.unreachable() == 0);
}

TEST_CASE("after churn, recall is unchanged and every row is reachable") {
  const Vectors queries = clustered(100, dim, Element::f32, 99);
  Hnsw index(0, Metric::l2, {});
  index.add(clustered(2000, dim, Element::f32, 1).view(), 2);
  const double before = recall_of(index, queries.view(), 10, 40);
  std::size_t bytes = 0;
  std::int64_t first = 0;
  for (unsigned round = 2; round < 8; ++round) {
    index.remove(view_of(id_range(first, 1000)));
    index.add(clustered(1000, dim, Element::f32, round).view(), 2);
    first += 1000;
    if (round == 3) bytes = index.bytes();
  }
  CHECK(recall_of(index, queries.view(), 10, 40) >= before - 0.01);
  CHECK(index.unreachable() == 0);
  CHECK(index.bytes() <= bytes * 11 / 10);
}

TEST_CASE("a mapped index can be changed, and its file stays unchanged") {
  const TemporaryFolder folder;
  const Vectors vectors = clustered(1500, 80, Element::f32, 1), queries = clustered(30, 80, Element::f32, 2);
  Hnsw built(0, Metric::ip, {});
  built.add(vectors.view(0, 1200), 2);
  built.save([&](const FileWriter& file) { file.save(folder / "index.look"); });
  const std::vector<std::byte> before = read_file(folder / "index.look");
  const std::vector<std::function<void(Hnsw&)>> changes = {
      [&](Hnsw& index) { index.add(vectors.view(1200, 300), 2); },
      [&](Hnsw& index) { index.upsert(vectors.view(1200, 100), view_of(id_range(300, 100)), 2); },
      [&](Hnsw& index) { index.upsert(vectors.view(1200, 100), view_of(id_range(1150, 100)), 2); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 100))); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 600))); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 1200))); },
      [&](Hnsw& index) { index.optimize(); }};
  for (const auto& change : changes) {
    AnyIndex loaded = Indexes::load(FileReader::open(folder / "index.look", true));
    Hnsw& index = *std::get<std::unique_ptr<Hnsw>>(loaded);
    Hnsw same(0, Metric::ip, {});
    same.add(vectors.view(0, 1200), 2);
    change(index);
    change(same);
    CHECK(search(index, queries.view(), 10, 40) == search(same, queries.view(), 10, 40));
    CHECK(index.unreachable() <= 20);  // short rows, which are no query's neighbours
  }
  CHECK(read_file(folder / "index.look") == before);
}

}  // namespace
}  // namespace lookalike
