// NearestPool against sorting.
#include "topk/nearest_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace lookalike {
namespace {

bool is_nearer(const Neighbor& a, const Neighbor& b) {
  return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
}

std::vector<Neighbor> contents(const NearestPool& pool) {
  std::vector<Neighbor> out;
  pool.append_to(out);
  return out;
}

TEST_CASE("a pool holds the nearest, in order, and its limit is the last distance") {
  std::mt19937 random(1);
  NearestPool pool;
  for (const std::size_t width : {1, 2, 7, 36, 100})
    for (const std::size_t count : {0, 1, 5, 99, 100, 1000}) {
      CAPTURE(width);
      CAPTURE(count);
      pool.reset(width);
      CHECK(std::isinf(pool.limit()));
      std::vector<Neighbor> all;
      for (std::size_t i = 0; i < count; ++i) {
        // Few distinct distances of both signs, so that ties are frequent.
        const float distance = static_cast<float>(static_cast<int>(random() % 41) - 20) / 4;
        const Row row = static_cast<Row>(random() % 3 ? i : 0xfffffff0u - i);
        all.push_back({row, distance});
        pool.push(distance, row);
        if (all.size() < width) CHECK(std::isinf(pool.limit()));
      }
      std::sort(all.begin(), all.end(), is_nearer);
      all.resize(std::min(all.size(), width));
      const std::vector<Neighbor> found = contents(pool);
      REQUIRE(found.size() == all.size());
      for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(found[i].row == all[i].row);
        CHECK(found[i].distance == all[i].distance);
      }
      if (all.size() == width) CHECK(pool.limit() == all.back().distance);
    }
}

TEST_CASE("distances of every magnitude keep their order") {
  const std::vector<float> values = {
      std::numeric_limits<float>::lowest(), -1e-3f, -1e-42f, -0.0f, 0.0f, 1e-42f, 1e-3f, 1,
      std::numeric_limits<float>::max()};
  NearestPool pool;
  pool.reset(values.size());
  for (std::size_t i = values.size(); i-- > 0;) pool.push(values[i], static_cast<Row>(i));
  const std::vector<Neighbor> found = contents(pool);
  REQUIRE(found.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(found[i].row == static_cast<Row>(i));
}

}  // namespace
}  // namespace lookalike
