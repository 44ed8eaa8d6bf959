#include "base/array.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

namespace lookalike {
namespace {

std::vector<int> counted(std::size_t size) {
  std::vector<int> values(size);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

std::vector<int> copied(const Array<int>& array) { return {array.begin(), array.end()}; }

TEST_CASE("an array grows, keeps its elements and is aligned") {
  Array<int> array;
  CHECK(array.empty());
  for (int i = 0; i < 1000; ++i) array.push_back(i);
  CHECK(copied(array) == counted(1000));
  CHECK(reinterpret_cast<std::uintptr_t>(array.data()) % alignment == 0);
  CHECK(array.bytes_owned() >= 1000 * sizeof(int));
  array.shrink();
  CHECK(array.bytes_owned() == 1000 * sizeof(int));
  CHECK(copied(array) == counted(1000));
}

TEST_CASE("resize fills new elements") {
  Array<int> array(counted(3));
  array.resize(5, 7);
  CHECK(copied(array) == std::vector{0, 1, 2, 7, 7});
  array.resize(2);
  CHECK(copied(array) == std::vector{0, 1});
}

TEST_CASE("a copy is independent and a moved-from array is empty") {
  Array<int> array(counted(4));
  Array<int> copy = array;
  copy.mutable_data()[0] = 9;
  CHECK(array[0] == 0);
  const Array<int> taken = std::move(array);
  CHECK(copied(taken) == counted(4));
  CHECK(array.empty());  // NOLINT: a moved array is empty by contract
  copy = taken;
  CHECK(copied(copy) == counted(4));
}

TEST_CASE("a mapped array borrows, keeps its owner alive and copies before a write") {
  const auto source = std::make_shared<const std::vector<int>>(counted(6));
  Array<int> array = Array<int>::mapped(*source, source);
  CHECK(source.use_count() == 2);
  CHECK(array.is_mapped());
  CHECK(array.bytes_owned() == 0);
  CHECK(array.data() == source->data());

  SUBCASE("by being written") { array.mutable_data()[0] = 42; }
  SUBCASE("by growing") { array.push_back(42); }
  SUBCASE("by shrinking") { array.resize(2); }
  CHECK_FALSE(array.is_mapped());
  CHECK(source.use_count() == 1);
  CHECK(*source == counted(6));
  CHECK(array[1] == 1);
}

TEST_CASE("a part of a mapped array is borrowed, a part of an owned array is a copy") {
  const auto source = std::make_shared<const std::vector<int>>(counted(6));
  Array<int> part = Array<int>::mapped(*source, source).part(2, 3);
  CHECK(part.is_mapped());
  CHECK(part.data() == source->data() + 2);
  CHECK(copied(part) == std::vector<int>{2, 3, 4});
  CHECK(source.use_count() == 2);
  part.mutable_data()[0] = 9;
  CHECK(*source == counted(6));

  Array<int> owned(counted(6));
  const Array<int> some = owned.part(4, 2), none = owned.part(6, 0);
  CHECK_FALSE(some.is_mapped());
  owned.mutable_data()[4] = 9;
  CHECK(copied(some) == std::vector<int>{4, 5});
  CHECK(none.empty());
}

TEST_CASE("a size beyond memory throws and leaves the array unchanged") {
  Array<std::uint64_t> array;
  array.push_back(5);
  CHECK_THROWS_AS(array.resize_for_overwrite(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
  REQUIRE(array.size() == 1);
  CHECK(array[0] == 5);
}

}  // namespace
}  // namespace lookalike
