// NearestBuffer and approximate_kth against sorting.
#include "topk/nearest_buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

#include "topk/approximate_kth.hpp"

namespace lookalike {
namespace {

bool is_nearer(const Neighbor& a, const Neighbor& b) {
  return std::tie(a.distance, a.row) < std::tie(b.distance, b.row);
}

TEST_CASE("a buffer holds the nearest, in any insertion order and with ties") {
  std::mt19937 random(1);
  NearestBuffer buffer;
  for (const std::size_t width : {1, 2, 10, 64, 333})
    for (const std::size_t count : {0, 1, 63, 500, 5000})
      for (const int different : {1, 3, 1000000}) {
        CAPTURE(width);
        CAPTURE(count);
        CAPTURE(different);
        std::vector<Neighbor> all;
        for (std::size_t i = 0; i < count; ++i)
          all.push_back({static_cast<Row>(i), static_cast<float>(static_cast<int>(random() % different) - 2) / 7});
        std::shuffle(all.begin(), all.end(), random);
        buffer.reset(width);
        for (const Neighbor& neighbor : all) {
          if (neighbor.distance > buffer.limit()) continue;
          buffer.push(neighbor.distance, neighbor.row);
        }
        std::vector<Neighbor> found = {{7, -1000.0f}};
        buffer.append_to(found);
        std::sort(all.begin(), all.end(), is_nearer);
        all.resize(std::min(width, count));
        REQUIRE(found.size() == all.size() + 1);
        for (std::size_t i = 0; i < all.size(); ++i) {
          CHECK(found[i + 1].row == all[i].row);
          CHECK(found[i + 1].distance == all[i].distance);
        }
      }
}

TEST_CASE("after many rows, most are above the limit of the buffer") {
  std::mt19937 random(2);
  NearestBuffer buffer;
  buffer.reset(20);
  CHECK(std::isinf(buffer.limit()));
  for (Row i = 0; i < 20000; ++i) {
    const float distance = std::uniform_real_distribution<float>()(random);
    if (distance <= buffer.limit()) buffer.push(distance, i);
  }
  CHECK(buffer.limit() < 0.02f);
}

TEST_CASE("an approximate k-th distance admits at k k values, and few more except for ties") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::mt19937 random(3);
  for (const std::size_t count : {1, 5, 100, 3000})
    for (const std::size_t k : {std::size_t{1}, count / 3 + 1, count}) {
      std::vector<float> values(count);
      for (float& value : values)
        value = std::ldexp(static_cast<float>(random() % 100000) - 50000, static_cast<int>(random() % 40));
      const float limit = approximate_kth(values, k);
      const auto admitted = std::count_if(values.begin(), values.end(), [&](float v) { return v <= limit; });
      std::sort(values.begin(), values.end());
      const float last = values[k - 1];
      const auto equal = std::count(values.begin(), values.end(), last);
      CHECK(admitted >= static_cast<std::ptrdiff_t>(k));
      CHECK(admitted <= static_cast<std::ptrdiff_t>(k + k / 8) + equal);
    }
  CHECK(approximate_kth(std::vector<float>(9, 2.5f), 4) >= 2.5f);
  CHECK(approximate_kth(std::vector<float>{infinity, -infinity, 0.0f}, 2) < infinity);
  CHECK(approximate_kth(std::vector<float>{infinity, -infinity, 0.0f}, 3) == infinity);
}

}  // namespace
}  // namespace lookalike
