// The shortest codes that still tell neighbours apart.
#include "codes/code_choice.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "clusters.hpp"

namespace lookalike {
namespace {

using testing::clustered_floats;

constexpr CodeWidth any[] = {CodeWidth::eight, CodeWidth::four};

TEST_CASE("few dimensions are worth one line, many without structure are worth more") {
  const CodeForm few = choose_codes(any, clustered_floats(1000, 20, 1), 20, 1, 2);
  CHECK(few.stride == 64);
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> noise(1000 * 600);
  for (float& x : noise) x = normal(random);
  CHECK(choose_codes(any, noise, 600, 1, 2).stride >= 256);
  const CodeForm narrow = choose_codes(any, clustered_floats(1000, 600, 1), 600, 1, 2);
  CHECK(narrow.stride < 256);
}

TEST_CASE("what is chosen is of a width that was offered, and the same for any number of threads") {
  const std::vector<float> sample = clustered_floats(700, 150, 3);
  for (const CodeWidth width : {CodeWidth::eight, CodeWidth::four, CodeWidth::one}) {
    const CodeForm one = choose_codes({&width, 1}, sample, 150, 1, 1),
                   three = choose_codes({&width, 1}, sample, 150, 1, 3);
    CHECK(one.width == width);
    CHECK(one.stride == three.stride);
    CHECK(one.stride % 64 == 0);
  }
}

TEST_CASE("samples that say nothing are answered too") {
  for (const std::size_t count : {1, 2, 5, 300}) {
    const CodeForm constant = choose_codes(any, std::vector<float>(count * 90, 2.0f), 90, 1, 2);
    CHECK(constant.stride % 64 == 0);
  }
  CHECK(choose_codes(any, clustered_floats(200, 1, 4), 1, 1, 2).stride == 64);
}

}  // namespace
}  // namespace lookalike
