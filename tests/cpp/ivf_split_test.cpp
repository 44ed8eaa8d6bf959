// Overlong inverted lists are split, so that searches scan no more than in an index built at once.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "answers.hpp"
#include "clusters.hpp"
#include "index/any_index.hpp"
#include "index/ivf/ivf.hpp"
#include "index/ivf/split.hpp"
#include "index/ivf/training.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::clustered_floats;
using testing::id_range;
using testing::recall_of;
using testing::saved;
using testing::Vectors;
using testing::view_of;

constexpr std::size_t dim = 24;

constexpr std::size_t spread_rows = 5000, crowd_rows = 14000;  // in total too few rows for retraining

/// `spread` clustered rows, then `crowd` rows near insertions point.
std::vector<float> crowded(std::size_t spread, std::size_t crowd, unsigned seed, std::size_t width = dim) {
  std::vector<float> values = clustered_floats(spread + crowd, width, seed);
  for (std::size_t i = spread * width; i < values.size(); ++i) values[i] = 3 + 0.2f * values[i];
  return values;
}

IvfSettings scanning(Quantization codes) {
  IvfSettings settings;
  settings.codes = codes;
  return settings;
}

double scanned(const Ivf& index, const VectorsView& queries) {
  return static_cast<double>(index.costs(queries, 10, 0, 1).distances) / static_cast<double>(queries.count);
}

TEST_CASE("rows added near insertions point get lists as short as the others") {
  struct Case {
    Metric metric;
    Quantization codes;
    std::size_t batch;
  };
  const Vectors vectors(crowded(spread_rows, crowd_rows, 1), dim, Element::f32);
  const Vectors queries(crowded(100, 100, 2), dim, Element::f32);
  for (const Case& c : {Case{Metric::l2, Quantization::u4, crowd_rows}, Case{Metric::l2, Quantization::f32, 1000},
                        Case{Metric::cosine, Quantization::u8, 500}, Case{Metric::ip, Quantization::u8, 1000}}) {
    CAPTURE(std::string(name_of(c.metric)));
    Ivf index(0, c.metric, scanning(c.codes)), built(0, c.metric, scanning(c.codes));
    built.add(vectors.view(), 1);
    index.add(vectors.view(0, spread_rows), 1);
    const std::size_t before = index.list_count();
    for (std::size_t i = spread_rows; i < vectors.count(); i += c.batch) {
      index.add(vectors.view(i, c.batch), 1);
      CHECK(index.longest_list() <= 2 * max_list_length(index.records().size()));
    }
    CHECK(index.list_count() > before);
    CHECK(index.unreachable() == 0);
    for (const VectorsView& part : {queries.view(0, 100), queries.view(100, 100)}) {
      CHECK(recall_of(index, part, 10) >= recall_of(built, part, 10) - 0.02);
      // With small batches, lists grow to up to four times the usual length before a split.
      CHECK(scanned(index, part) <= (c.batch == crowd_rows ? 1.1 : 2.1) * scanned(built, part));
    }
  }
}

TEST_CASE("lists are also split when replaced rows move near insertions point") {
  const Vectors vectors(crowded(spread_rows, crowd_rows, 1), dim, Element::f32);
  const Vectors queries(crowded(100, 100, 2), dim, Element::f32);
  Ivf index(0, Metric::l2, {});
  index.add(vectors.view(0, spread_rows), 1);
  index.upsert(vectors.view(spread_rows, 4000), view_of(id_range(0, 4000)), 1);
  CHECK(index.longest_list() <= 2 * max_list_length(spread_rows));
  CHECK(index.unreachable() == 0);
  CHECK(recall_of(index, queries.view(), 10, 16) >= 0.95);
}

TEST_CASE("a requested number of lists never changes") {
  const Vectors vectors(crowded(spread_rows, crowd_rows, 1), dim, Element::f32);
  IvfSettings settings;
  settings.nlist = 100;
  Ivf index(0, Metric::l2, settings);
  index.add(vectors.view(0, spread_rows), 1);
  index.add(vectors.view(spread_rows, crowd_rows), 1);
  CHECK(index.list_count() == 100);
}

TEST_CASE("equal rows stay in insertions list, whose split is retried only after it has doubled") {
  const Vectors spread = clustered(spread_rows, dim, Element::f32, 1);
  const Vectors equal(std::vector<float>(6000 * dim, 3.0f), dim, Element::f32);
  Ivf index(0, Metric::l2, {});
  index.add(spread.view(), 1);
  const std::size_t lists = index.list_count();
  for (std::size_t i = 0; i < 6000; i += 500) index.add(equal.view(i, 500), 1);
  CHECK(index.list_count() <= lists + 1);
  CHECK(index.longest_list() >= 6000);
  CHECK(index.unreachable() == 0);

  const std::size_t limit = max_list_length(1000);
  std::size_t tried = 0;
  for (std::size_t size = 0; size < 8 * (limit + 1); ++size) {
    IvfLists ivf_lists;
    ivf_lists.lists.resize(3);
    ivf_lists.lists[1].rows.resize(size);
    Insertions insertions = {{7}, {1}, {}};
    const std::vector<std::uint32_t> emptied = take_out_long_lists(ivf_lists, nullptr, 1000, insertions);
    tried += emptied.size();
    CHECK(insertions.rows.size() == (emptied.empty() ? 1 : size + 1));
  }
  CHECK(tried == 4);
}

TEST_CASE("distinct rows are split from equal rows") {
  // Three of four rows of the crowd are equal.
  std::vector<float> values = crowded(spread_rows, crowd_rows, 1);
  for (std::size_t i = spread_rows; i < spread_rows + crowd_rows; ++i)
    if (i % 4) std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(i * dim), dim, 3.0f);
  const Vectors vectors(values, dim, Element::f32);
  Ivf index(0, Metric::l2, {});
  index.add(vectors.view(0, spread_rows), 1);
  const std::size_t before = index.list_count();
  index.add(vectors.view(spread_rows, crowd_rows), 1);
  const std::size_t usual = max_list_length(spread_rows + crowd_rows) / 4;
  CHECK(index.list_count() - before >= crowd_rows / 4 / usual * 9 / 10);
  // Alternatively all lists are retrained, if the distinct rows are so tight that they need their own frames.
  const std::size_t retrained_lists = list_count({}, spread_rows + crowd_rows);
  CHECK(index.list_count() <= std::max(before + crowd_rows / 4 / usual * 11 / 10, retrained_lists));
}

TEST_CASE("splitting gives the same bytes for any number of threads, whether the index was saved between or not" *
          doctest::test_suite("threads")) {
  const Vectors vectors(crowded(spread_rows, crowd_rows, 1, 70), 70, Element::f32);
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    std::vector<std::shared_ptr<std::vector<std::byte>>> files;
    for (const unsigned threads : {1u, 2u, 3u}) {
      Ivf index(0, metric, {});
      index.add(vectors.view(0, spread_rows), threads);
      AnyIndex loaded = Indexes::load(FileReader::from_bytes(saved(index)));
      Ivf& grown = threads == 2 ? *std::get<std::unique_ptr<Ivf>>(loaded) : index;
      grown.add(vectors.view(spread_rows, 4000), threads);
      if (threads == 3) loaded = Indexes::load(FileReader::from_bytes(saved(index)));
      Ivf& last = threads == 1 ? index : *std::get<std::unique_ptr<Ivf>>(loaded);
      last.upsert(vectors.view(9000, 3000), view_of(id_range(0, 3000)), threads);
      last.add(vectors.view(12000, 3000), threads);
      CHECK(last.list_count() > 200);
      files.push_back(saved(last));
      const AnyIndex again = Indexes::load(FileReader::from_bytes(files.back()));
      CHECK(*saved(*std::get<std::unique_ptr<Ivf>>(again)) == *files.back());
      const VectorsView queries = vectors.view(4990, 20);
      CHECK(testing::search(*std::get<std::unique_ptr<Ivf>>(again), queries, 10) == testing::search(last, queries, 10));
    }
    CHECK(*files[0] == *files[1]);
    CHECK(*files[0] == *files[2]);
  }
}

std::atomic<int> polls = 0, polls_before_interrupt = 0;

bool interrupts_now() { return ++polls > polls_before_interrupt; }

TEST_CASE("an addition that is interrupted during a split is rolled back") {
  const Vectors vectors(crowded(spread_rows, crowd_rows, 1, 70), 70, Element::f32);
  Ivf index(0, Metric::l2, {});
  index.add(vectors.view(0, spread_rows), 1);
  const testing::Found answer = testing::search(index, vectors.view(4990, 20), 10);
  const std::size_t lists = index.list_count(), longest = index.longest_list();
  std::size_t interrupted = 0;
  for (polls_before_interrupt = 0; index.records().size() == spread_rows; ++polls_before_interrupt) {
    polls = 0;
    set_interrupt_hook(interrupts_now);
    try {
      index.add(vectors.view(spread_rows, 6000), view_of(id_range(spread_rows, 6000)), 1);
    } catch (const Interrupted&) {
      ++interrupted;
    }
    set_interrupt_hook(nullptr);
    if (index.records().size() > spread_rows) break;
    CHECK(index.list_count() == lists);
    CHECK(index.longest_list() == longest);
    CHECK(testing::search(index, vectors.view(4990, 20), 10) == answer);
  }
  CHECK(interrupted >= 1);
  Ivf same(0, Metric::l2, {});
  same.add(vectors.view(0, spread_rows), 1);
  same.add(vectors.view(spread_rows, 6000), 1);
  CHECK(same.list_count() > lists);
  CHECK(*saved(index) == *saved(same));
}

}  // namespace
}  // namespace lookalike
