// IVF indexes that store only codes (keep='none').
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/any_index.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "index/ivf/ivf.hpp"
#include "index/ivf/split.hpp"
#include "runtime/interrupt.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::clustered_floats;
using testing::Found;
using testing::id_range;
using testing::recall;
using testing::saved;
using testing::search;
using testing::Vectors;
using testing::view_of;

constexpr std::size_t dim = 80;

IvfSettings codes_only(Quantization codes = Quantization::u4, std::size_t nlist = 0) {
  IvfSettings settings;
  settings.codes = codes;
  settings.drops_originals = true;
  settings.nlist = nlist;
  return settings;
}

/// The result of an exact search.
Found truth(const Vectors& vectors, Metric metric, const VectorsView& queries, std::size_t k) {
  Flat list(0, metric, Storage::automatic);
  list.add(vectors.view(), 1);
  return search(list, queries, k);
}

/// The mean absolute error of the distances, relative to the query's largest distance.
double distance_error(const Found& found, const Vectors& vectors, Metric metric, const VectorsView& queries) {
  const Found all = truth(vectors, metric, queries, vectors.count());
  double error = 0;
  for (std::size_t i = 0; i < found.ids.size(); ++i) {
    const auto first = all.ids.begin() + static_cast<std::ptrdiff_t>(i / found.k * all.k);
    const auto at = std::find(first, first + static_cast<std::ptrdiff_t>(all.k), found.ids[i]) - all.ids.begin();
    const double last = all.distances[i / found.k * all.k + found.k - 1];
    error += std::fabs(found.distances[i] - all.distances[static_cast<std::size_t>(at)]) / std::fabs(last);
  }
  return error / static_cast<double>(found.ids.size());
}

TEST_CASE("codes alone give recall and distances in a fraction of the memory") {
  for (const Element element : {Element::f32, Element::u8}) {
    const Vectors vectors = clustered(4000, dim, element, 1), queries = clustered(100, dim, element, 2);
    for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
      CAPTURE(std::string(name_of(metric)));
      Ivf index(0, metric, codes_only());
      index.add(vectors.view(), 2);
      const Found found = search(index, queries.view(), 10);
      CHECK(recall(found, truth(vectors, metric, queries.view(), 10)) >= 0.85);
      CHECK(distance_error(found, vectors, metric, queries.view()) < 0.05);
      CHECK(testing::is_in_order(found));
      CHECK(index.bytes() < 4000 * dim * sizeof(float) * 3 / 5);  // a third of that with longer lists
      CHECK(index.unreachable() == 0);
      CHECK(std::string(name_of(index.scanned_codes())) == "u4");
      // A single query and a batch agree, except for ties.
      CHECK(search(index, queries.view(0, 1), 10).distances[0] == found.distances[0]);
    }
  }
}

TEST_CASE("one-bit codes give recall and coarse distances") {
  const Vectors vectors = clustered(4000, dim, Element::f32, 1), queries = clustered(100, dim, Element::f32, 2);
  Ivf index(0, Metric::l2, codes_only(Quantization::rabitq));
  index.add(vectors.view(), 1);
  const Found found = search(index, queries.view(), 100);
  const Found exact = truth(vectors, Metric::l2, queries.view(), 10);
  std::size_t held = 0;
  for (std::size_t q = 0; q < 100; ++q)
    for (std::size_t i = 0; i < 10; ++i) {
      const auto first = found.ids.begin() + static_cast<std::ptrdiff_t>(q * 100);
      held += std::find(first, first + 100, exact.ids[q * 10 + i]) != first + 100;
    }
  CHECK(held >= 950);
}

TEST_CASE("methods that need vectors throw, and searches are exact until the lists exist") {
  const Vectors vectors = clustered(1500, dim, Element::f32, 1), queries = clustered(10, dim, Element::f32, 2);
  Ivf index(0, Metric::l2, codes_only());
  index.add(vectors.view(0, 1000), 1);
  CHECK(index.is_exact());
  CHECK(search(index, queries.view(), 10).distances ==
        truth(Vectors(clustered_floats(1000, dim, 1), dim, Element::f32), Metric::l2, queries.view(), 10).distances);
  for (const std::size_t added : {0, 500}) {
    if (added > 0) index.add(vectors.view(1000, added), 1);
    CHECK_THROWS_AS(index.records().get(view_of(id_range(3, 1))), InvalidArgument);
    CHECK_THROWS_AS(index.records().get(view_of(id_range(3000, 1))), UnknownId);
    CHECK_THROWS_AS(index.range(queries.view(), 5, {}, 1), InvalidArgument);
    CHECK_THROWS_AS(RecallEvaluator(index.evaluated(), queries.view(), 10, 1), InvalidArgument);
    CHECK_THROWS_AS(RecallEvaluator(index.evaluated(), 100, 10, 0, 1), InvalidArgument);
    CHECK(index.records().contains(view_of(id_range(3, 1))));
  }
  CHECK_FALSE(index.is_exact());
  CHECK_THROWS_AS(Ivf(0, Metric::hamming, codes_only()), InvalidArgument);
  CHECK_THROWS_AS(Ivf(0, Metric::l2, codes_only(Quantization::automatic)), InvalidArgument);
}

TEST_CASE("vectors that cannot be encoded are rejected and change nothing") {
  const Vectors vectors = clustered(1500, dim, Element::f32, 1), queries = clustered(10, dim, Element::f32, 2);
  const Vectors unencodable(std::vector<float>(dim, 1e30f), dim, Element::f32);
  Ivf index(0, Metric::l2, codes_only());
  CHECK_THROWS_AS(index.add(unencodable.view(), 1), InvalidArgument);
  CHECK(index.records().size() == 0);
  index.add(vectors.view(), 1);
  const auto before = saved(index);
  CHECK_THROWS_AS(index.add(unencodable.view(), 1), InvalidArgument);
  CHECK_THROWS_AS(index.upsert(unencodable.view(), view_of(id_range(3, 1)), 1), InvalidArgument);
  CHECK(*saved(index) == *before);
}

TEST_CASE("rows are added, removed and replaced without stored vectors") {
  for (const Metric metric : {Metric::l2, Metric::cosine, Metric::ip}) {
    CAPTURE(std::string(name_of(metric)));
    const Vectors vectors = clustered(3600, dim, Element::f32, 1), queries = clustered(50, dim, Element::f32, 2);
    const std::vector<float> floats = clustered_floats(3600, dim, 1);
    Ivf index(0, metric, codes_only());
    index.add(vectors.view(0, 2000), 1);
    index.add(vectors.view(2000, 1), 1);
    index.add(vectors.view(2001, 999), 2);
    // Rows 0 to 599 get the vectors of rows 3000 to 3599; other rows are new.
    index.upsert(vectors.view(3000, 500), view_of(id_range(0, 500)), 1);
    index.upsert(vectors.view(3500, 100), view_of(id_range(2990, 100)), 2);
    CHECK(index.records().size() == 3090);
    CHECK(index.unreachable() == 0);
    std::vector<float> now(floats.begin(), floats.begin() + static_cast<std::ptrdiff_t>(3090 * dim));
    std::copy_n(floats.begin() + static_cast<std::ptrdiff_t>(3000 * dim), 500 * dim, now.begin());
    std::copy_n(floats.begin() + static_cast<std::ptrdiff_t>(3500 * dim), 100 * dim,
                now.begin() + static_cast<std::ptrdiff_t>(2990 * dim));
    const Vectors held(now, dim, Element::f32);
    const Found found = search(index, queries.view(), 10);
    CHECK(recall(found, truth(held, metric, queries.view(), 10)) >= 0.85);
    CHECK(distance_error(found, held, metric, queries.view()) < 0.05);

    CHECK(index.remove(view_of(id_range(100, 300))) == 300);
    for (const std::int64_t id : search(index, queries.view(), 30).ids) CHECK((id < 100 || id >= 400));
    index.remove(view_of(id_range(400, 1600)));  // triggers compaction
    CHECK(index.records().removed_share() == 0);
    CHECK(index.unreachable() == 0);
    index.remove(view_of(id_range(2000, 1080)));
    CHECK(index.records().size() == 110);
    index.optimize();
    const Found rest = search(index, queries.view(), 110, 4);
    CHECK(std::find(rest.ids.begin(), rest.ids.end(), no_id) == rest.ids.end());
    index.add(vectors.view(3000, 50), 1);
    CHECK(index.records().size() == 160);
    CHECK(index.unreachable() == 0);
    index.remove({index.records().ids().integers.span(), nullptr});
    CHECK(search(index, queries.view(), 1).ids[0] == no_id);
    index.add(vectors.view(0, 1200), 1);
    CHECK(index.unreachable() == 0);
    CHECK_FALSE(index.is_exact());
  }
}

TEST_CASE("every admitted row is found, up to k") {
  const Vectors vectors = clustered(3000, dim, Element::f32, 1), queries = clustered(20, dim, Element::f32, 2);
  Ivf index(0, Metric::l2, codes_only());
  index.add(vectors.view(), 1);
  for (const std::size_t passing : {1, 7, 300, 2900}) {
    const std::vector<std::int64_t> ids = id_range(50, passing);
    for (const std::size_t nprobe : {1, 32}) {
      const Found found = search(index, queries.view(), 10, nprobe, view_of(ids), 2);
      for (std::size_t i = 0; i < found.ids.size(); ++i) {
        if (i % 10 >= passing) CHECK(found.ids[i] == no_id);
        if (i % 10 < passing) CHECK((found.ids[i] >= 50 && found.ids[i] < static_cast<std::int64_t>(50 + passing)));
      }
      CHECK(testing::is_in_order(found));
    }
  }
  const Found all = search(index, queries.view(), 3000, 1);
  CHECK(std::find(all.ids.begin(), all.ids.end(), no_id) == all.ids.end());
}

TEST_CASE("zero rows and rows longer than all before keep correct distances") {
  std::vector<float> rows = clustered_floats(2500, dim, 1);
  for (std::size_t i = 2000 * dim; i < rows.size(); ++i) rows[i] *= 3;
  std::fill_n(rows.begin() + 40 * dim, dim, 0.0f);
  const Vectors vectors(rows, dim, Element::f32), queries = clustered(50, dim, Element::f32, 2);
  for (const Metric metric : {Metric::ip, Metric::cosine}) {
    Ivf index(0, metric, codes_only());
    index.add(vectors.view(0, 2000), 1);
    index.add(vectors.view(2000, 500), 1);
    const Found found = search(index, queries.view(), 10, 64);
    CHECK(recall(found, truth(vectors, metric, queries.view(), 10)) >= 0.8);
    CHECK(distance_error(found, vectors, metric, queries.view()) < 0.05);
    const std::vector<std::int64_t> zero = {40};
    const Found zero_row = search(index, queries.view(), 1, 0, view_of(zero));
    const float expected = metric == Metric::ip ? 0 : 1;
    const float scale = metric == Metric::ip ? std::fabs(found.distances[0]) : 1;
    for (const float distance : zero_row.distances) CHECK(std::fabs(distance - expected) < 0.05f * scale);
  }
}

TEST_CASE("rows far longer than all before are ranked correctly, and rows that cannot be encoded are rejected") {
  std::vector<float> rows = clustered_floats(6000, dim, 1);
  for (std::size_t i = 3000 * dim; i < rows.size(); ++i) rows[i] *= 100;
  const Vectors vectors(rows, dim, Element::f32), queries = clustered(50, dim, Element::f32, 2);
  Ivf index(0, Metric::ip, codes_only());
  index.add(vectors.view(0, 3000), 1);
  index.add(vectors.view(3000, 3000), 1);
  CHECK(recall(search(index, queries.view(), 10, 1000), truth(vectors, Metric::ip, queries.view(), 10)) >= 0.8);
  CHECK(index.unreachable() == 0);
  const Vectors longest(std::vector<float>(dim, 1e9f), dim, Element::f32);
  const auto before = saved(index);
  CHECK_THROWS_AS(index.add(longest.view(), 1), InvalidArgument);
  CHECK(*saved(index) == *before);
}

TEST_CASE("queries whose distances to codes overflow or underflow are rejected") {
  const Vectors vectors = clustered(1500, dim, Element::f32, 1);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    Ivf index(0, metric, codes_only());
    index.add(vectors.view(), 1);
    const float extreme = metric == Metric::cosine ? 1e-30f : 1e30f;
    const Vectors query(std::vector<float>(dim, extreme), dim, Element::f32);
    CHECK_THROWS_AS(search(index, query.view(), 10), InvalidArgument);
    CHECK(search(index, vectors.view(7, 1), 1).ids[0] != no_id);
  }
}

TEST_CASE("lists are split by decoded vectors without loss of recall") {
  const Vectors vectors = clustered(16000, dim, Element::f32, 1), queries = clustered(50, dim, Element::f32, 2);
  Ivf index(0, Metric::l2, codes_only()), fixed(0, Metric::l2, codes_only(Quantization::u4, 100));
  for (std::size_t i = 0; i < 16000; i += 2000) index.add(vectors.view(i, 2000), 2);
  for (std::size_t i = 0; i < 16000; i += 2000) fixed.add(vectors.view(i, 2000), 2);
  CHECK(index.list_count() > 150);
  CHECK(fixed.list_count() == 100);
  CHECK(index.longest_list() <= 2 * max_list_length(16000));
  CHECK(index.unreachable() == 0);
  const Found found = search(index, queries.view(), 10), exact = truth(vectors, Metric::l2, queries.view(), 10);
  CHECK(recall(found, exact) >= 0.85);
  CHECK(recall(found, exact) >= recall(search(fixed, queries.view(), 10, 100), exact) - 0.05);
  CHECK(distance_error(found, vectors, Metric::l2, queries.view()) < 0.05);
}

TEST_CASE("the same calls give the same bytes, and a saved or mapped index is equal" * doctest::test_suite("threads")) {
  const TemporaryFolder folder;
  const Vectors vectors = clustered(6000, dim, Element::f32, 1), queries = clustered(30, dim, Element::f32, 2);
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    std::vector<std::shared_ptr<std::vector<std::byte>>> files;
    for (const unsigned threads : {1u, 2u, 3u}) {
      Ivf index(0, metric, codes_only());
      index.add(vectors.view(0, 1500), threads);
      index.add(vectors.view(1500, 4000), threads);
      index.upsert(vectors.view(5400, 600), view_of(id_range(5300, 600)), threads);
      index.remove(view_of(id_range(0, 200)));
      files.push_back(saved(index));
      index.save([&](const FileWriter& file) { file.save(folder / "index.look"); });
      for (const bool mapped : {false, true}) {
        AnyIndex loaded = Indexes::load(FileReader::open(folder / "index.look", mapped));
        Ivf& same = *std::get<std::unique_ptr<Ivf>>(loaded);
        CHECK(search(same, queries.view(), 10) == search(index, queries.view(), 10, 0, {}, threads));
        CHECK(*saved(same) == *files.back());
        same.add(vectors.view(0, 100), threads);
        CHECK(same.unreachable() == 0);
      }
    }
    CHECK(*files[0] == *files[1]);
    CHECK(*files[0] == *files[2]);
  }
}

bool interrupts_now() { return true; }

TEST_CASE("an interrupted change is rolled back") {
  const Vectors vectors = clustered(40000, 40, Element::f32, 1), queries = clustered(20, 40, Element::f32, 2);
  Ivf index(0, Metric::l2, codes_only());
  index.add(vectors.view(0, 1500), 1);
  const Found answer = search(index, queries.view(), 10);
  bool was_interrupted = false;
  set_interrupt_hook(interrupts_now);
  try {
    index.add(vectors.view(1500, 38500), 1);
  } catch (const Interrupted&) {
    was_interrupted = true;
  }
  set_interrupt_hook(nullptr);
  CHECK(was_interrupted);
  CHECK(index.records().size() == 1500);
  CHECK(search(index, queries.view(), 10) == answer);
  index.add(vectors.view(1500, 500), 1);
  CHECK(index.unreachable() == 0);
}

}  // namespace
}  // namespace lookalike
