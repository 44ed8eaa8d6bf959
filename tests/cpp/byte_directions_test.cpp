// Int8 projections approximate float projections and do not depend on the other vectors of a batch.
#include "linalg/byte_directions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.hpp"

namespace lookalike {
namespace {

std::vector<float> normal_floats(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& x : values) x = static_cast<float>(random.normal());
  return values;
}

TEST_CASE("int8 products approximate float products, and are equal alone and in a batch") {
  for (const std::size_t dim : {1u, 3u, 4u, 30u, 129u, 1280u})
    for (const std::size_t count : {1u, 31u, 32u, 33u, 70u}) {
      CAPTURE(dim);
      CAPTURE(count);
      const std::vector<float> rows = normal_floats(count * dim, 1), values = normal_floats(9 * dim, 2);
      const ByteDirections directions(rows, dim);
      REQUIRE(directions.padded_count() >= count);
      std::vector<SignedBytes> vectors(9);
      std::vector<const SignedBytes*> all;
      for (std::size_t v = 0; v < 9; ++v) {
        vectors[v].assign(std::span(values).subspan(v * dim, dim),
                          directions.padded_dim());  // no read may pass the end
        all.push_back(&vectors[v]);
      }
      const std::size_t room = directions.padded_count();
      ProjectionScratch scratch;
      std::vector<float> found(9 * room), few(9 * room), alone(room);
      directions.project(all, scratch, found.data());
      for (std::size_t size = 2; size < 9; ++size) {
        directions.project(std::span(all).first(size), scratch, few.data());
        CHECK(std::equal(few.begin(), few.begin() + static_cast<std::ptrdiff_t>(size * room), found.begin()));
      }
      double worst = 0;
      for (std::size_t v = 0; v < 9; ++v) {
        directions.project({&all[v], 1}, scratch, alone.data());
        for (std::size_t i = count; i < room; ++i) CHECK(alone[i] == 0);
        for (std::size_t i = 0; i < count; ++i) {
          double product = 0, row = 0, vector = 0;
          for (std::size_t d = 0; d < dim; ++d) {
            product += double{rows[i * dim + d]} * values[v * dim + d];
            row = std::max(row, std::fabs(double{rows[i * dim + d]}));
            vector = std::max(vector, std::fabs(double{values[v * dim + d]}));
          }
          const float of_many = found[v * room + i];
          CHECK(alone[i] == of_many);
          // Each value is rounded by up to half a step; errors grow with the square root of dim.
          worst = std::max(worst, std::fabs(of_many - product) / (row * vector * std::sqrt(static_cast<double>(dim))));
        }
      }
      CHECK(worst < 4.0 / 127);
    }
}

}  // namespace
}  // namespace lookalike
