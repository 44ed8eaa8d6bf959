// Records: prepared changes, rollback, subsets and locking.
#include "index/core/records.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace lookalike {
namespace {

constexpr std::size_t dim = 3;

VectorsView view_of(const std::vector<float>& values) {
  return {reinterpret_cast<const std::byte*>(values.data()), Element::f32, values.size() / dim, dim,
          dim * sizeof(float)};
}

/// The vector (value, 0, 0) for each value.
std::vector<float> along(const std::vector<float>& values) {
  std::vector<float> vectors;
  for (const float value : values) vectors.insert(vectors.end(), {value, 0, 0});
  return vectors;
}

float first_of(const VectorsView& vectors, std::size_t i) {
  float value = 0;
  if (vectors.element == Element::u8) return static_cast<float>(std::to_integer<int>(*vectors.row(i)));
  std::memcpy(&value, vectors.row(i), sizeof value);
  return value;
}

IdsView view_of(const std::vector<std::int64_t>& ids) { return {ids, nullptr}; }

void add(Records& records, const std::vector<float>& values, const std::vector<std::int64_t>& ids) {
  const std::vector<float> vectors = along(values);
  Records::Writer writer = records.write();
  Change change = writer.addition(view_of(vectors), view_of(ids), 1);
  writer.exclusively([&](Rows& rows) { rows.commit(change); });
}

std::vector<std::byte> saved(const Records& records) {
  std::vector<std::byte> bytes;
  FileWriter file("records");
  const Records::WriterLock rows = records.freeze();
  rows->save(file);
  file.write([&](std::span<const std::byte> piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  return bytes;
}

TEST_CASE("a prepared change shows the future rows and has no effect until commit") {
  Records records(0, Metric::cosine, Storage::automatic);
  add(records, {1, 2, 3}, {10, 20, 30});
  const std::vector<std::byte> before = saved(records);
  const std::vector<float> vectors = along({2.5f, 4, 0.25f});
  const std::vector<std::int64_t> ids = {20, 40, 10};
  {
    Records::Writer writer = records.write();
    Change change = writer.upsertion(view_of(vectors), view_of(ids), 1);
    CHECK(change.changes_element());
    CHECK(change.element() == Element::f32);
    CHECK(change.first() == 3);
    REQUIRE(change.added().count == 1);
    CHECK(first_of(change.added(), 0) == 4);
    CHECK(change.added_inverse_norms()[0] == 0.25f);
    REQUIRE(std::vector<Row>(change.replaced().begin(), change.replaced().end()) == std::vector<Row>{1, 0});
    CHECK(first_of(change.replacements(), 0) == 2.5f);
    CHECK(first_of(change.replacements(), 1) == 0.25f);
    CHECK(change.replacement_inverse_norms()[1] == 4);
    CHECK(records.element() == Element::u8);
  }
  CHECK(saved(records) == before);

  Records::Writer writer = records.write();
  Change change = writer.upsertion(view_of(vectors), view_of(ids), 1);
  writer.exclusively([&](Rows& rows) { rows.commit(change); });
  CHECK(writer->count() == 4);
  for (const auto& [row, value] : {std::pair<Row, float>{0, 0.25f}, {1, 2.5f}, {2, 3}, {3, 4}}) {
    CHECK(first_of(writer->store().view(), row) == value);
    CHECK(writer->inverse_norms()[row] == doctest::Approx(1 / value));
  }
}

TEST_CASE("invalid changes are rejected before anything is prepared") {
  Records records(0, Metric::l2, Storage::automatic);
  add(records, {1}, {5});
  const std::vector<float> two = along({1, 2});
  const std::vector<std::int64_t> twice = {7, 7}, stored = {6, 5}, unknown = {5, 9};
  Records::Writer writer = records.write();
  CHECK_THROWS_AS(writer.addition(view_of(two), view_of(twice), 1), InvalidArgument);
  CHECK_THROWS_AS(writer.upsertion(view_of(two), view_of(twice), 1), InvalidArgument);
  CHECK_THROWS_WITH_AS(writer.addition(view_of(two), view_of(stored), 1),
                       "ids[1] is 5, which is in the index already; upsert replaces its vector", InvalidArgument);
  CHECK_THROWS_WITH_AS(writer->find_or_throw(view_of(unknown)), "id 9 is not in the index", UnknownId);
  CHECK_THROWS_AS(writer.addition({view_of(two).data, Element::f32, 3, 2, 2 * sizeof(float)}, 1), DimensionMismatch);
  CHECK_THROWS_AS(records.write(), Unsupported);
  CHECK_THROWS_AS(records.freeze(), Unsupported);
}

TEST_CASE("rolled-back rows leave no trace except the next id") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const bool looked_up : {false, true}) {
      Records records(0, metric, Storage::automatic);
      add(records, {1, 2, 3, 4}, {40, 10, 20, 30});
      const std::vector<std::int64_t> removed = {10}, added = {60};
      records.write().exclusively([&](Rows& rows) { rows.remove(rows.find_or_throw(view_of(removed))); });
      if (looked_up) CHECK(records.contains({std::span(removed), nullptr}) == false);
      add(records, {5, 6, 7}, {50, 60, 45});
      Records::Writer writer = records.write();
      writer.exclusively([&](Rows& rows) {
        rows.remove(rows.find_or_throw(view_of(added)));
        rows.rollback(4);
        rows.rollback(4);
      });
      CHECK(writer->count() == 4);
      CHECK(writer->live_count() == 3);
      CHECK(writer->ids().removed_count() == 1);
      for (const std::int64_t id : {50, 60, 45, 10}) CHECK(writer->ids().find(id) == no_row);
      CHECK(writer->ids().find(30) == 3);
      CHECK(records.next_id() == 61);
      CHECK(records.ids().integers.size() == 3);
      CHECK(writer->store().view().count == 4);

      // The row numbers are reused.
      const std::vector<float> more = along({8, 9});
      const std::vector<std::int64_t> ids = {45, 10};
      Change change = writer.addition(view_of(more), view_of(ids), 1);
      CHECK(change.first() == 4);
      writer.exclusively([&](Rows& rows) { rows.commit(change); });
      CHECK(writer->ids().find(10) == 5);
      CHECK(first_of(writer->store().view(), 5) == 9);
      if (metric == Metric::cosine) CHECK(writer->inverse_norms()[5] == doctest::Approx(1.0 / 9));
    }
  }
}

TEST_CASE("string ids are rolled back too, down to none") {
  Records records(0, Metric::l2, Storage::automatic);
  const std::vector<float> vectors = along({1, 2});
  Strings names[3];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 2; ++j) names[i].push_back("name " + std::to_string(2 * i + j));
  }
  Records::Writer writer = records.write();
  const auto put = [&](const Strings& ids) {
    Change change = writer.addition(view_of(vectors), {{}, &ids}, 1);
    writer.exclusively([&](Rows& rows) { rows.commit(change); });
  };
  put(names[0]);
  put(names[1]);
  CHECK(writer->ids().find("name 3") == 3);
  writer.exclusively([](Rows& rows) { rows.rollback(2); });
  CHECK(writer->ids().find("name 3") == no_row);
  CHECK(writer->ids().find("name 1") == 1);
  put(names[2]);
  CHECK(writer->ids().find("name 5") == 3);
  CHECK(writer->ids().string(3) == "name 5");
  writer.exclusively([](Rows& rows) { rows.rollback(0); });
  CHECK(writer->count() == 0);
  CHECK(records.element() == std::nullopt);
  put(names[1]);
  CHECK(writer->ids().find("name 2") == 0);
}

TEST_CASE("a subset has the requested order and is swapped in atomically") {
  Records records(0, Metric::cosine, Storage::automatic);
  add(records, {1, 2, 4, 8}, {1, 2, 4, 8});
  Records::Writer writer = records.write();
  const std::vector<Row> order = {3, 0, 2};
  Rows next = writer->subset(order);
  writer.exclusively([&](Rows& rows) noexcept { rows.swap(next); });
  CHECK(next.count() == 4);
  CHECK(records.dim() == dim);
  CHECK(records.ids().integers.size() == 3);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const float value = static_cast<float>(1 << order[i]);
    CHECK(first_of(writer->store().view(), i) == value);
    CHECK(writer->ids().find(static_cast<std::int64_t>(value)) == static_cast<Row>(i));
    CHECK(writer->inverse_norms()[i] == 1 / value);
  }
}

TEST_CASE("index data graph_nodes the rows is consistent with them under the locks") {
  Records records(0, Metric::l2, Storage::automatic);
  std::size_t graph_nodes = 0;  // stands for a graph
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::thread reader([&] {
    while (!done) {
      const Records::ReadLock rows = records.read();
      wrong += rows->count() != graph_nodes;
    }
  });
  const std::vector<float> vectors = along({1, 2, 3});
  for (int step = 0; step < 200; ++step) {
    Records::Writer writer = records.write();
    Change change = writer.addition(view_of(vectors), 1);
    writer.exclusively([&](Rows& rows) {
      rows.commit(change);
      graph_nodes = rows.count();
    });
    if (step % 3 == 2) {
      writer.exclusively([&](Rows& rows) noexcept {
        rows.rollback(change.first());
        graph_nodes = rows.count();
      });
    }
  }
  done = true;
  reader.join();
  CHECK(wrong == 0);
  CHECK(records.size() == 3 * 134);
}

}  // namespace
}  // namespace lookalike
