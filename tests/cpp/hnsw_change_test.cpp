// An HNSW index that grows, shrinks and is interrupted: what it says stays true, and every row can be reached.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "indexes/any_index.hpp"
#include "indexes/hnsw.hpp"
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

TEST_CASE("rows added one by one are found at once, before there is a graph and after") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    CAPTURE(std::string(name_of(metric)));
    const std::size_t rows = 1500;
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

TEST_CASE("vectors that grow longer and longer stay in order of their products") {
  std::vector<float> rows = clustered_floats(2500, dim, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] *= 0.01f + 0.0004f * static_cast<float>(i / dim);
  const Vectors vectors(rows, dim, Element::f32), queries = clustered(50, dim, Element::f32, 2);
  Hnsw index(0, Metric::ip, {});
  for (std::size_t i = 0; i < 2500; i += 50) index.add(vectors.view(i, 50), 2);
  CHECK(recall_of(index, queries.view(), 10, 40) >= 0.95);
}

TEST_CASE("removed rows are not found, replaced ones are where they are now, and memory comes back") {
  for (const std::size_t width : {dim, std::size_t{80}}) {
    const Vectors vectors = clustered(3000, width, Element::f32, 1), queries = clustered(50, width, Element::f32, 2);
    Hnsw index(0, Metric::l2, {});
    index.add(vectors.view(), 2);
    const std::vector<std::int64_t> few = id_range(100, 500);
    CHECK(index.remove(view_of(few)) == 500);
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

TEST_CASE("an index shrinks to a few rows and to none, and grows again into another place") {
  const Vectors vectors = clustered(2000, 80, Element::f32, 1), queries = clustered(50, 80, Element::f32, 2);
  std::vector<float> moved = clustered_floats(3000, 80, 3), asked = clustered_floats(50, 80, 4);
  for (float& x : moved) x = 0.01f * x + 500;
  for (float& x : asked) x = 0.01f * x + 500;
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
  CHECK(recall_of(index, Vectors(asked, 80, Element::f32).view(), 10, 40) >= 0.95);
  CHECK(index.unreachable() == 0);
}

TEST_CASE("every one of many equal rows can be reached, and so can the others") {
  std::vector<float> values = clustered_floats(11000, dim, 1);
  for (std::size_t i = 1; i < 10000; ++i) std::copy_n(values.begin(), dim, values.begin() + i * dim);
  const Vectors vectors(values, dim, Element::f32);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(), 2);
  CHECK(index.unreachable() == 0);
  std::size_t found = 0;
  for (std::size_t i = 10000; i < 11000; i += 10)
    found += search(index, vectors.view(i, 1), 1, 30).ids[0] == static_cast<std::int64_t>(i);
  CHECK(found >= 90);
  CHECK(index.costs(vectors.view(10000, 100), 1, 30, 1).distances < 100 * 1500);

  // The last of the equal ones, when the others have gone, and when they come one at a time.
  index.remove(view_of(id_range(0, 9990)));
  CHECK(index.unreachable() == 0);
  const Found last = search(index, vectors.view(0, 1), 10, 30);
  CHECK(std::count_if(last.ids.begin(), last.ids.end(), [](auto id) { return id >= 9990 && id < 10000; }) == 10);
  for (std::size_t i = 0; i < 600; ++i) index.add(vectors.view(0, 1), 1);
  CHECK(index.unreachable() <= 5);
  index.optimize();
  CHECK(index.unreachable() == 0);
}

TEST_CASE("after churn recall is what it was, and every row can be reached") {
  const Vectors queries = clustered(100, dim, Element::f32, 99);
  Hnsw index(0, Metric::l2, {});
  index.add(clustered(3000, dim, Element::f32, 1).view(), 2);
  const double before = recall_of(index, queries.view(), 10, 40);
  std::size_t bytes = 0;
  std::int64_t first = 0;
  for (unsigned round = 2; round < 8; ++round) {
    index.remove(view_of(id_range(first, 1500)));
    index.add(clustered(1500, dim, Element::f32, round).view(), 2);
    first += 1500;
    if (round == 3) bytes = index.bytes();
  }
  CHECK(recall_of(index, queries.view(), 10, 40) >= before - 0.01);
  CHECK(index.unreachable() == 0);
  CHECK(index.bytes() <= bytes * 11 / 10);
}

TEST_CASE("the same seed gives the same bytes, whoever builds, and what is saved comes back") {
  for (const WalkCodes codes : {WalkCodes::automatic, WalkCodes::rabitq, WalkCodes::f32})
    for (const Metric metric : {Metric::ip, Metric::cosine}) {
      HnswSettings settings;
      settings.codes = codes;
      std::vector<std::shared_ptr<std::vector<std::byte>>> files;
      const Vectors vectors = clustered(2500, 80, Element::f32, 1), queries = clustered(30, 80, Element::f32, 2);
      for (const unsigned threads : {1u, 2u, 3u}) {
        Hnsw index(0, metric, settings);
        index.add(vectors.view(0, 1500), threads);
        index.add(vectors.view(1500, 1000), threads);
        index.remove(view_of(id_range(0, 200)));
        files.push_back(saved(index));
        const AnyIndex loaded = Indexes::load(FileReader::from_bytes(files.back()));
        const Hnsw& same = *std::get<std::unique_ptr<Hnsw>>(loaded);
        CHECK(search(same, queries.view(), 10, 30) == search(index, queries.view(), 10, 30));
        CHECK(same.walk_codes() == index.walk_codes());
        CHECK(*saved(same) == *files.back());
      }
      CHECK(*files[0] == *files[1]);
      CHECK(*files[0] == *files[2]);
    }
}

TEST_CASE("a mapped index changes as any other does, and its file does not") {
  const TemporaryFolder folder;
  const Vectors vectors = clustered(2500, 80, Element::f32, 1), queries = clustered(30, 80, Element::f32, 2);
  Hnsw built(0, Metric::ip, {});
  built.add(vectors.view(0, 2000), 2);
  built.save([&](const FileWriter& file) { file.save(folder / "index.look"); });
  const std::vector<std::byte> before = read_file(folder / "index.look");
  const std::vector<std::function<void(Hnsw&)>> changes = {
      [&](Hnsw& index) { index.add(vectors.view(2000, 500), 2); },
      [&](Hnsw& index) { index.upsert(vectors.view(2000, 100), view_of(id_range(500, 100)), 2); },
      [&](Hnsw& index) { index.upsert(vectors.view(2000, 100), view_of(id_range(1950, 100)), 2); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 100))); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 1000))); },
      [&](Hnsw& index) { index.remove(view_of(id_range(0, 2000))); },
      [&](Hnsw& index) { index.optimize(); }};
  for (const auto& change : changes) {
    AnyIndex loaded = Indexes::load(FileReader::open(folder / "index.look", true));
    Hnsw& index = *std::get<std::unique_ptr<Hnsw>>(loaded);
    Hnsw same(0, Metric::ip, {});
    same.add(vectors.view(0, 2000), 2);
    change(index);
    change(same);
    CHECK(search(index, queries.view(), 10, 40) == search(same, queries.view(), 10, 40));
    CHECK(index.unreachable() == 0);
  }
  CHECK(read_file(folder / "index.look") == before);
}

std::atomic<int> questions = 0, patience = 0;

bool impatient() { return ++questions > patience; }

/// Interrupts `change` later and later, until it comes to its end. How often it was interrupted.
template <class Change, class Check>
int interrupt(Change change, Check check) {
  set_interrupt_hook(impatient);
  int interrupted = 0;
  for (patience = 1;; patience = patience + 1 + patience / 2) {
    questions = 0;
    try {
      change();
      break;
    } catch (const Interrupted&) {
      ++interrupted;
      set_interrupt_hook(nullptr);
      check();
      set_interrupt_hook(impatient);
    }
  }
  set_interrupt_hook(nullptr);
  return interrupted;
}

TEST_CASE("an interrupted addition leaves the index as it was") {
  const Vectors vectors = clustered(16000, 80, Element::f32, 1), queries = clustered(20, 80, Element::f32, 2);
  for (const std::size_t before : {0, 300, 1500}) {
    CAPTURE(before);
    Hnsw index(0, Metric::l2, {});
    // Integers at first: what comes turns them to floats, and has the codes learned again.
    std::vector<float> rounded = clustered_floats(std::max<std::size_t>(before, 1), 80, 3);
    for (float& x : rounded) x = std::clamp(std::round(8 * x), -128.0f, 127.0f);
    const Vectors integers(rounded, 80, Element::f32);
    if (before) index.add(integers.view(0, before), 2);
    const Found answer = search(index, queries.view(), 10, 64);
    const int interrupted = interrupt([&] { index.add(vectors.view(), 2); },
                                      [&] {
                                        CHECK(index.records().size() == before);
                                        CHECK(index.unreachable() == 0);
                                        const Found now = search(index, queries.view(), 10, 64);
                                        if (before <= 300) CHECK(now.ids == answer.ids);
                                        if (before) CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
                                      });
    CHECK(interrupted > 0);
    CHECK(index.records().size() == before + 16000);
    CHECK(index.unreachable() == 0);
    CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
  }
}

TEST_CASE("an interrupted first addition leaves an index as it was made") {
  Strings names;
  for (int i = 0; i < 4000; ++i) names.push_back("n" + std::to_string(i));
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const std::size_t asked : {std::size_t{0}, std::size_t{80}}) {
      CAPTURE(std::string(name_of(metric)));
      const Vectors vectors = clustered(4000, 80, Element::f32, 1), others = clustered(4000, 80, Element::f32, 2);
      Hnsw index(asked, metric, {}), fresh(asked, metric, {});
      const auto empty = saved(index);
      const auto is_as_made = [&] {
        CHECK(index.records().dim() == asked);
        CHECK(index.records().id_kind() == IdKind::none);
        CHECK(index.walk_codes() == WalkCodes::automatic);
        CHECK(*saved(index) == *empty);
        CHECK(search(index, others.view(0, 1), 1).ids[0] == no_id);
      };
      CHECK(interrupt([&] { index.add(vectors.view(), {{}, &names}, 2); }, is_as_made) > 2);
      fresh.add(vectors.view(), {{}, &names}, 2);
      CHECK(*saved(index) == *saved(fresh));
      // And where it never comes to its end, what comes next may be of another kind.
      Hnsw other(asked, metric, {});
      set_interrupt_hook(impatient);
      patience = 2;
      questions = 0;
      CHECK_THROWS_AS(other.add(vectors.view(), {{}, &names}, 2), Interrupted);
      set_interrupt_hook(nullptr);
      const std::size_t width = asked ? asked : 24;
      const Vectors narrow = clustered(1000, width, Element::f32, 3);
      other.add(narrow.view(), 2);
      CHECK(other.records().next_id() == 1000);
      CHECK(recall_of(other, narrow.view(0, 50), 10) >= 0.9);
    }
}

TEST_CASE("an interrupted replacement or repair leaves every row where it can be reached") {
  const Vectors vectors = clustered(12000, dim, Element::f32, 1), others = clustered(12000, dim, Element::f32, 2);
  const Vectors queries = clustered(20, dim, Element::f32, 3);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(0, 8000), 2);
  bool turn = false;
  interrupt(
      [&] {
        turn = !turn;
        index.upsert((turn ? others : vectors).view(), view_of(id_range(0, 12000)), 2);
      },
      [&] {
        CHECK(index.records().size() == 8000);
        CHECK(index.unreachable() == 0);
        CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
      });
  CHECK(index.records().size() == 12000);
  std::size_t removed = 0;
  interrupt(
      [&] {
        if (removed == 0) removed = index.remove(view_of(id_range(0, 5000)));
        index.optimize();
      },
      [&] {
        removed = 5000;
        CHECK(index.records().size() == 7000);
        CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
      });
  CHECK(index.records().size() == 7000);
  CHECK(index.unreachable() == 0);
  CHECK(recall_of(index, queries.view(), 10, 64) >= 0.95);
}

TEST_CASE("readers find what is there all along while a writer adds, replaces, removes and repairs") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine, Metric::hamming}) {
    const std::size_t width = metric == Metric::hamming ? 16 : 70;
    const Element element = metric == Metric::hamming ? Element::bits : Element::f32;
    const Vectors vectors = clustered(1200, width, element, 1), fresh = clustered(400, width, element, 2);
    Hnsw index(0, metric, {});
    index.add(vectors.view(), 2);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0, searches = 0;
    std::thread writer([&] {
      for (std::int64_t step = 0; step < 6; ++step) {
        const std::vector<std::int64_t> ids = id_range(2000 + 1000 * step, 400);
        index.add(fresh.view(0, 300), {std::span(ids).first(300), nullptr}, 2);
        index.upsert(fresh.view(), view_of(ids), 1);
        index.upsert(vectors.view(0, 200), view_of(id_range(0, 200)), 2);
        index.remove({std::span(ids).subspan(50), nullptr});
        if (step % 2) index.optimize();
      }
      done = true;
    });
    const auto read = [&] {
      std::size_t q = 0;
      while (!done) {
        q = (q + 17) % 1000;
        const Found found = search(index, vectors.view(200 + q, 1), 5, 24);
        wrong += !testing::is_in_order(found) || found.ids[4] == no_id;
        if (metric == Metric::l2 || metric == Metric::cosine) wrong += found.distances[0] > 1e-3f;
        wrong += index.unreachable() > 500;  // those that are just being added, and a few
        ++searches;
      }
    };
    std::thread readers[] = {std::thread(read), std::thread(read)};
    writer.join();
    for (std::thread& reader : readers) reader.join();
    CHECK(searches > 0);
    CHECK(wrong <= searches / 100);
    CHECK(index.records().size() == 1200 + 6 * 50);
    CHECK(index.unreachable() == 0);
  }
}

}  // namespace
}  // namespace lookalike
