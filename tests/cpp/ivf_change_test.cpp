// Additions, removals and interrupted changes of an IVF index: results stay correct and every row is in a list.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/any_index.hpp"
#include "index/ivf/ivf.hpp"
#include "runtime/interrupt.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::clustered_floats;
using testing::Found;
using testing::id_range;
using testing::recall_of;
using testing::saved;
using testing::search;
using testing::Vectors;
using testing::view_of;

constexpr std::size_t dim = 24;

IvfSettings with_lists(std::size_t nlist, Quantization codes = Quantization::automatic) {
  IvfSettings settings;
  settings.nlist = nlist;
  settings.codes = codes;
  return settings;
}

TEST_CASE("rows added one by one are found immediately, before and after the lists exist") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    CAPTURE(std::string(name_of(metric)));
    const std::size_t rows = 1300;
    const Vectors vectors = clustered(rows, dim, Element::f32, 1), queries = clustered(50, dim, Element::f32, 2);
    Ivf index(0, metric, {});
    std::size_t lost = 0;
    for (std::size_t i = 0; i < rows; i += i < 1000 ? 50 : 1) {
      index.add(vectors.view(i, i < 1000 ? 50 : 1), 1);
      if (metric != Metric::ip) lost += search(index, vectors.view(i, 1), 1).ids[0] != static_cast<std::int64_t>(i);
    }
    CHECK(lost == 0);
    CHECK(index.records().size() == rows);
    CHECK(index.list_count() == 96);
    CHECK(index.unreachable() == 0);
    CHECK(recall_of(index, queries.view(), 10, 32) >= 0.95);
  }
}

TEST_CASE("lists are retrained when the index has grown fourfold") {
  const Vectors vectors = clustered(4200, dim, Element::f32, 1), queries = clustered(50, dim, Element::f32, 2);
  Ivf index(0, Metric::l2, {});
  index.add(vectors.view(0, 1024), 2);
  CHECK(index.list_count() == 96);
  index.add(vectors.view(1024, 3071), 2);
  CHECK(index.list_count() == 96);
  CHECK(recall_of(index, queries.view(), 10, 16) >= 0.95);
  index.add(vectors.view(4095, 1), 2);
  CHECK(index.list_count() == 192);
  index.add(vectors.view(4096, 104), 2);
  CHECK(index.unreachable() == 0);
  CHECK(recall_of(index, queries.view(), 10, 32) >= 0.95);
}

TEST_CASE("with ever longer vectors, results stay sorted by inner product, for any batches") {
  std::vector<float> rows = clustered_floats(2500, dim, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] *= 0.01f + 0.0004f * static_cast<float>(i / dim);
  const Vectors vectors(rows, dim, Element::f32), queries = clustered(50, dim, Element::f32, 2);
  Ivf added(0, Metric::ip, with_lists(30)), replaced(0, Metric::ip, with_lists(30));
  for (std::size_t i = 0; i < 2500; i += 250) {
    added.add(vectors.view(i, 250), 1);
    replaced.upsert(vectors.view(i, 250), view_of(id_range(static_cast<std::int64_t>(i % 1500), 250)), 1);
  }
  CHECK(recall_of(added, queries.view(), 10, 12) >= 0.95);
  CHECK(replaced.records().size() == 1500);
  CHECK(recall_of(replaced, queries.view(), 10, 12) >= 0.95);
}

TEST_CASE("removed rows are not found, replaced rows are found at their new vectors, and memory is released") {
  for (const Metric metric : {Metric::l2, Metric::hamming}) {
    const Element element = metric == Metric::hamming ? Element::bits : Element::f32;
    const std::size_t width = metric == Metric::hamming ? 16 : 80;
    const Vectors vectors = clustered(3000, width, element, 1), queries = clustered(50, width, element, 2);
    Ivf index(0, metric, with_lists(60));
    index.add(vectors.view(), 1);
    CHECK(index.remove(view_of(id_range(100, 500))) == 500);
    for (const std::int64_t id : search(index, queries.view(), 20).ids) CHECK((id < 100 || id >= 600));
    CHECK(recall_of(index, queries.view(), 10, 24) >= 0.95);
    CHECK(index.records().removed_share() > 0);

    const Vectors others = clustered(700, width, element, 3);
    index.upsert(others.view(), view_of(id_range(2900, 700)), 1);
    CHECK(index.records().size() == 3100);
    CHECK(index.unreachable() == 0);
    for (std::size_t i = 0; i < 700; i += 50) CHECK(search(index, others.view(i, 1), 1).distances[0] == 0);
    CHECK(recall_of(index, queries.view(), 10, 24) >= 0.95);

    const std::size_t before = index.bytes();
    index.remove(view_of(id_range(600, 1500)));
    CHECK(index.records().removed_share() == 0);
    CHECK(index.bytes() < before * 4 / 5);
    CHECK(index.unreachable() == 0);
    CHECK(recall_of(index, queries.view(), 10, 24) >= 0.95);
  }
}

TEST_CASE("an index shrinks to a few rows and to none, and grows again with other data") {
  const Vectors vectors = clustered(2000, 80, Element::f32, 1), queries = clustered(50, 80, Element::f32, 2);
  std::vector<float> moved = clustered_floats(2000, 80, 3), query_values = clustered_floats(50, 80, 4);
  for (float& x : moved) x = 0.01f * x + 500;
  for (float& x : query_values) x = 0.01f * x + 500;
  const Vectors moved_vectors(moved, 80, Element::f32), moved_queries(query_values, 80, Element::f32);
  Ivf index(0, Metric::l2, with_lists(40));
  index.add(vectors.view(), 1);
  for (const std::size_t removed : {490, 500, 510}) {  // some removals trigger compaction
    index.remove(view_of(id_range(static_cast<std::int64_t>(2000 - index.records().size()), removed)));
    CHECK(recall_of(index, queries.view(), 10, 40) >= 0.99);
  }
  CHECK(index.is_exact());
  index.add(queries.view(), 1);  // too few rows for lists, which exist already
  CHECK(search(index, queries.view(7, 1), 1, 1).distances[0] == 0);
  index.remove({index.records().ids().integers.span(), nullptr});
  CHECK(index.records().size() == 0);
  CHECK(search(index, queries.view(), 1).ids[0] == no_id);
  index.optimize();
  index.add(moved_vectors.view(), 1);
  CHECK_FALSE(index.is_exact());
  CHECK(recall_of(index, moved_queries.view(), 10, 16) >= 0.95);
}

TEST_CASE("the same calls give the same bytes for any number of threads, and a saved index can be loaded" *
          doctest::test_suite("threads")) {
  struct Case {
    Metric metric;
    Quantization codes;
  };
  for (const Case& c : {Case{Metric::ip, Quantization::automatic}, Case{Metric::cosine, Quantization::rabitq},
                        Case{Metric::l2, Quantization::f32}, Case{Metric::hamming, Quantization::automatic}}) {
    CAPTURE(std::string(name_of(c.metric)));
    const Element element = c.metric == Metric::hamming ? Element::bits : Element::f32;
    const Vectors vectors = clustered(2000, 80, element, 1), queries = clustered(30, 80, element, 2);
    std::vector<std::shared_ptr<std::vector<std::byte>>> files;
    for (const unsigned threads : {1u, 2u, 3u}) {
      Ivf index(0, c.metric, with_lists(30, c.codes));
      index.add(vectors.view(0, 1200), threads);
      index.add(vectors.view(1200, 700), threads);
      index.upsert(vectors.view(1800, 200), view_of(id_range(1750, 200)), threads);
      index.remove(view_of(id_range(0, 200)));
      index.set_tuning({{0.5f, 0.9f}, {2, 9}, 9, {}});
      files.push_back(saved(index));
      const AnyIndex loaded = Indexes::load(FileReader::from_bytes(files.back()));
      const Ivf& same = *std::get<std::unique_ptr<Ivf>>(loaded);
      CHECK(search(same, queries.view(), 10, 0) == search(index, queries.view(), 10, 9, {}, threads));
      CHECK(same.scanned_codes() == index.scanned_codes());
      CHECK(same.tuning().efforts == index.tuning().efforts);
      CHECK(*saved(same) == *files.back());
    }
    CHECK(*files[0] == *files[1]);
    CHECK(*files[0] == *files[2]);
  }
}

TEST_CASE("a mapped index can be changed, and its file stays unchanged") {
  const TemporaryFolder folder;
  const Vectors vectors = clustered(2000, 80, Element::f32, 1), queries = clustered(30, 80, Element::f32, 2);
  Ivf built(0, Metric::ip, with_lists(40));
  built.add(vectors.view(0, 1600), 1);
  built.save([&](const FileWriter& file) { file.save(folder / "index.look"); });
  const std::vector<std::byte> before = read_file(folder / "index.look");
  const std::vector<std::function<void(Ivf&)>> changes = {
      [&](Ivf&) {},
      [&](Ivf& index) { index.add(vectors.view(1600, 400), 1); },
      [&](Ivf& index) { index.upsert(vectors.view(1600, 100), view_of(id_range(500, 100)), 1); },
      [&](Ivf& index) { index.upsert(vectors.view(1600, 100), view_of(id_range(1550, 100)), 1); },
      [&](Ivf& index) { index.remove(view_of(id_range(0, 100))); },
      [&](Ivf& index) { index.remove(view_of(id_range(0, 500))); },
      [&](Ivf& index) { index.remove(view_of(id_range(0, 1600))); },
      [&](Ivf& index) { index.optimize(); }};
  for (const auto& change : changes) {
    AnyIndex loaded = Indexes::load(FileReader::open(folder / "index.look", true));
    Ivf& index = *std::get<std::unique_ptr<Ivf>>(loaded);
    Ivf same(0, Metric::ip, with_lists(40));
    same.add(vectors.view(0, 1600), 1);
    change(index);
    change(same);
    CHECK(search(index, queries.view(), 10, 12) == search(same, queries.view(), 10, 12));
    CHECK(index.unreachable() == 0);
    CHECK(*saved(index) == *saved(same));
  }
  CHECK(read_file(folder / "index.look") == before);
}

std::atomic<int> polls = 0, polls_before_interrupt = 0;

bool interrupts_now() { return ++polls > polls_before_interrupt; }

/// Whether `change` was interrupted before it finished.
template <class Change>
bool interrupted(Change change) {
  polls = 0;
  set_interrupt_hook(interrupts_now);
  try {
    change();
  } catch (const Interrupted&) {
    set_interrupt_hook(nullptr);
    return true;
  }
  set_interrupt_hook(nullptr);
  return false;
}

TEST_CASE("an interrupted addition is rolled back, and an interrupted replacement leaves every row in a list") {
  constexpr std::size_t rows = 30000;
  const Vectors vectors = clustered(rows, 40, Element::f32, 1), queries = clustered(20, 40, Element::f32, 2);
  for (const std::size_t before : {0, 1100}) {
    CAPTURE(before);
    Ivf index(0, Metric::l2, {}), untouched(0, Metric::l2, {});
    if (before) index.add(vectors.view(0, before), 1);
    if (before) untouched.add(vectors.view(0, before), 1);
    const Found answer = search(index, queries.view(), 10);
    polls_before_interrupt = 0;
    CHECK(interrupted([&] { index.add(vectors.view(before, rows - before), 1); }));
    CHECK(index.records().size() == before);
    CHECK(index.list_count() == untouched.list_count());
    CHECK(search(index, queries.view(), 10) == answer);
    if (before == 0) CHECK(*saved(index) == *saved(untouched));
    index.add(vectors.view(before, rows - before), 2);
    CHECK(index.records().size() == rows);
    CHECK(recall_of(index, queries.view(), 10, 64) >= 0.95);

    polls_before_interrupt = 0;
    const bool was_stopped = interrupted([&] {
      for (int i = 0; i < 1000; ++i)
        index.upsert(vectors.view(0, rows / 2), view_of(id_range(static_cast<std::int64_t>(rows / 2), rows / 2)), 1);
    });
    CHECK(was_stopped);
    CHECK(index.records().size() == rows);
    CHECK(recall_of(index, queries.view(), 10, 64) >= 0.95);
    CHECK(index.unreachable() == 0);
  }
}

TEST_CASE("readers find the unchanged rows while a writer adds, replaces, removes and repairs" *
          doctest::test_suite("threads")) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::hamming}) {
    const std::size_t width = metric == Metric::hamming ? 16 : 70;
    const Element element = metric == Metric::hamming ? Element::bits : Element::f32;
    const Vectors vectors = clustered(1200, width, element, 1), fresh = clustered(200, width, element, 2);
    Ivf index(0, metric, with_lists(30));
    index.add(vectors.view(), 1);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0, searches = 0;
    std::thread writer([&] {
      for (std::int64_t step = 0; step < 4; ++step) {
        const std::vector<std::int64_t> ids = id_range(2000 + 1000 * step, 200);
        index.add(fresh.view(0, 150), {std::span(ids).first(150), nullptr}, 2);
        index.upsert(fresh.view(), view_of(ids), 1);
        index.upsert(vectors.view(0, 100), view_of(id_range(0, 100)), 2);
        index.remove({std::span(ids).subspan(50), nullptr});
        if (step % 2) index.optimize();
      }
      done = true;
    });
    const auto read = [&] {
      for (std::size_t q = 0; !done || searches < 20; q = (q + 17) % 1000) {
        const Found found = search(index, vectors.view(100 + q, 1), 5, 8);
        wrong += !testing::is_in_order(found) || found.ids[4] == no_id;
        if (metric == Metric::l2) wrong += found.distances[0] > 1e-3f;
        ++searches;
      }
    };
    std::thread readers[] = {std::thread(read), std::thread(read)};
    writer.join();
    for (std::thread& reader : readers) reader.join();
    CHECK(wrong <= searches / 100);
    CHECK(index.records().size() == 1200 + 4 * 50);
    CHECK(index.unreachable() == 0);
  }
}

}  // namespace
}  // namespace lookalike
