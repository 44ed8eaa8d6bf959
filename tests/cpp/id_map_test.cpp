// Lookup of rows by id, for any insertion order and after removals.
#include "rows/id_map.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/errors.hpp"

namespace lookalike {
namespace {

void add(IdMap& map, const std::vector<std::int64_t>& ids) {
  const IdsView view{ids, nullptr};
  map.require_distinct(view);
  IdMap::Growth growth = map.grow(view);
  map.commit(growth);
}

TEST_CASE("ascending and shuffled ids are found and removed ids are not, as in a std::map") {
  std::mt19937 random(1);
  for (const bool shuffled : {false, true}) {
    IdMap map;
    std::unordered_map<std::int64_t, Row> model;
    std::int64_t next = 0;
    for (int step = 0; step < 60; ++step) {
      std::vector<std::int64_t> ids;
      for (int i = 0; i < 50; ++i) ids.push_back(shuffled ? (next++ * 2654435761) % 1000003 + 2 : next++);
      for (std::size_t i = 0; i < ids.size(); ++i) model[ids[i]] = static_cast<Row>(map.rows() + i);
      add(map, ids);
      const std::vector<Row> removed = {map.find(ids[3]), map.find(ids[random() % 40 + 5])};
      map.remove(removed);
      for (const Row row : removed) std::erase_if(model, [row](const auto& entry) { return entry.second == row; });
      CHECK(map.live_count() == model.size());
    }
    for (const auto& [id, row] : model) CHECK(map.find(id) == row);
    CHECK(map.find(std::int64_t{1}) == (shuffled ? no_row : model.contains(1) ? model[1] : no_row));
    const IdMap kept = map.subset(map.live_rows());
    CHECK(kept.rows() == model.size());
    for (const auto& [id, row] : model) CHECK(kept.integer(kept.find(id)) == id);
  }
}

TEST_CASE("a removed id may be added again and then maps to the new row") {
  IdMap map;
  add(map, {10, 20, 30});
  const std::vector<Row> removed = {map.find(std::int64_t{20})};
  map.remove(removed);
  CHECK(map.find(std::int64_t{20}) == no_row);
  add(map, {20});
  CHECK(map.find(std::int64_t{20}) == 3);
  CHECK(map.find(std::int64_t{30}) == 2);
}

TEST_CASE("string ids, including embedded zeros") {
  IdMap map;
  Strings names;
  for (const std::string_view name : {std::string_view("a"), std::string_view(""), std::string_view("a\0b", 3)}) {
    names.push_back(name);
  }
  const IdsView view{{}, &names};
  map.require_distinct(view);
  IdMap::Growth growth = map.grow(view);
  CHECK(map.rows() == 0);
  map.commit(growth);
  CHECK(map.find("a") == 0);
  CHECK(map.find("") == 1);
  CHECK(map.find(std::string_view("a\0b", 3)) == 2);
  CHECK(map.find("b") == no_row);
  CHECK(map.find(std::int64_t{0}) == no_row);
  CHECK_THROWS_AS(map.automatic_ids(1), InvalidArgument);
}

Strings strings(std::string_view text, const std::vector<std::uint64_t>& ends) {
  return {Array<std::uint64_t>(ends), Array<std::byte>(std::as_bytes(std::span<const char>(text)))};
}

TEST_CASE("strings of a file are rejected unless each is UTF-8") {
  const std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";  // characters of 1, 2, 3 and 4 bytes
  CHECK(strings(text, {1, 3, 6, 10})[3] == text.substr(6));
  CHECK(strings(text, {0, 10}).size() == 2);
  CHECK(strings("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", {10}).size() == 1);
  for (const std::uint64_t split : {2, 4, 5, 7, 8, 9}) CHECK_THROWS_AS(strings(text, {split, 10}), CorruptFile);
  for (const std::string_view bad : {"\x80", "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                     "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3(", "a\xe2\x82"})
    CHECK_THROWS_AS(strings(bad, {bad.size()}), CorruptFile);
}

TEST_CASE("repeated and reserved ids are rejected") {
  const IdMap map;
  for (const std::vector<std::int64_t>& ids : {std::vector<std::int64_t>{1, 2, 1}, {-1}, {5, 5}}) {
    CHECK_THROWS_AS(map.require_distinct({ids, nullptr}), InvalidArgument);
  }
}

}  // namespace
}  // namespace lookalike
