// Interrupted changes of an HNSW index: the index is rolled back, or every row stays reachable.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/hnsw/hnsw.hpp"
#include "runtime/interrupt.hpp"

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

std::atomic<int> polls = 0, polls_before_interrupt = 0;

bool interrupts_now() { return ++polls > polls_before_interrupt; }

/// Interrupts `change` up to five times, each time later, then lets it finish. Returns the number of interrupts.
template <class Change, class Check>
int interrupt(Change change, Check check) {
  constexpr int max_interrupts = 5;
  int interrupted = 0;
  for (polls_before_interrupt = 0; interrupted < max_interrupts;
       polls_before_interrupt = std::max(1, 2 * int{polls_before_interrupt})) {
    polls = 0;
    set_interrupt_hook(interrupts_now);
    try {
      change();
      set_interrupt_hook(nullptr);
      return interrupted;
    } catch (const Interrupted&) {
      ++interrupted;
      set_interrupt_hook(nullptr);
      check();
    }
  }
  change();
  return interrupted;
}

TEST_CASE("an interrupted addition is rolled back") {
  const std::size_t rows = 4000;
  const Vectors vectors = clustered(rows, 80, Element::f32, 1), queries = clustered(20, 80, Element::f32, 2);
  for (const std::size_t before : {0, 300, 1500}) {
    CAPTURE(before);
    Hnsw index(0, Metric::l2, {});
    // Integers at first: the addition converts them to floats and retrains the encoder.
    std::vector<float> rounded = clustered_floats(std::max<std::size_t>(before, 1), 80, 3);
    for (float& x : rounded) x = std::round(x);
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
    CHECK(index.records().size() == before + rows);
    CHECK(index.unreachable() == 0);
    CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
  }
}

TEST_CASE("an interrupted first addition leaves a new index") {
  Strings names;
  for (int i = 0; i < 4000; ++i) names.push_back("n" + std::to_string(i));
  struct Case {
    Metric metric;
    std::size_t requested;
  };
  for (const Case& made : {Case{Metric::l2, 0}, Case{Metric::ip, 80}, Case{Metric::cosine, 0}}) {
    const Metric metric = made.metric;
    const std::size_t requested = made.requested;
    CAPTURE(std::string(name_of(metric)));
    const Vectors vectors = clustered(4000, 80, Element::f32, 1), others = clustered(4000, 80, Element::f32, 2);
    Hnsw index(requested, metric, {}), fresh(requested, metric, {});
    const auto empty = saved(index);
    const auto is_as_made = [&] {
      CHECK(index.records().dim() == requested);
      CHECK(index.records().id_kind() == IdKind::none);
      CHECK(index.quantization() == Quantization::automatic);
      CHECK(*saved(index) == *empty);
      CHECK(search(index, others.view(0, 1), 1).ids[0] == no_id);
    };
    CHECK(interrupt([&] { index.add(vectors.view(), {{}, &names}, 2); }, is_as_made) > 0);
    fresh.add(vectors.view(), {{}, &names}, 2);
    CHECK(*saved(index) == *saved(fresh));
    // If it never finishes, the next addition may use another element type.
    Hnsw other(requested, metric, {});
    set_interrupt_hook(interrupts_now);
    polls_before_interrupt = 1;
    polls = 0;
    CHECK_THROWS_AS(other.add(vectors.view(), {{}, &names}, 2), Interrupted);
    set_interrupt_hook(nullptr);
    const std::size_t width = requested ? requested : 24;
    const Vectors narrow = clustered(1000, width, Element::f32, 3);
    other.add(narrow.view(), 2);
    CHECK(other.records().next_id() == 1000);
    CHECK(recall_of(other, narrow.view(0, 50), 10) >= 0.9);
  }
}

TEST_CASE("an interrupted replacement or repair leaves every row reachable") {
  constexpr std::size_t dim = 24;
  const Vectors vectors = clustered(6000, dim, Element::f32, 1), others = clustered(6000, dim, Element::f32, 2);
  const Vectors queries = clustered(20, dim, Element::f32, 3);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(0, 4000), 2);
  bool turn = false;
  interrupt(
      [&] {
        turn = !turn;
        index.upsert((turn ? others : vectors).view(), view_of(id_range(0, 6000)), 2);
      },
      [&] {
        CHECK(index.records().size() == 4000);
        CHECK(index.unreachable() == 0);
        CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
      });
  CHECK(index.records().size() == 6000);
  std::size_t removed = 0;
  interrupt(
      [&] {
        if (removed == 0) removed = index.remove(view_of(id_range(0, 2500)));
        index.optimize();
      },
      [&] {
        removed = 2500;
        CHECK(index.records().size() == 3500);
        CHECK(recall_of(index, queries.view(), 10, 64) >= 0.9);
      });
  CHECK(index.records().size() == 3500);
  CHECK(index.unreachable() == 0);
  CHECK(recall_of(index, queries.view(), 10, 64) >= 0.95);
}

}  // namespace
}  // namespace lookalike
