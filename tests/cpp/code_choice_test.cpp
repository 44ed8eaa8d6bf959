// Chooses the shortest codes that still rank neighbours correctly.
#include "quant/code_choice.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <span>
#include <vector>

#include "clusters.hpp"

namespace lookalike {
namespace {

using testing::clustered_floats;

constexpr CodeWidth any[] = {CodeWidth::eight, CodeWidth::four};

/// The choice for dense float rows.
std::optional<CodeFormat> chosen(std::span<const CodeWidth> widths, const std::vector<float>& rows, std::size_t dim,
                                 unsigned threads) {
  const MetricSpace space = {
      {reinterpret_cast<const std::byte*>(rows.data()), Element::f32, rows.size() / dim, dim, dim * sizeof(float)}};
  return choose_codes(widths, space, 1, threads);
}

TEST_CASE("few dimensions get short codes, many dimensions without structure get longer ones") {
  constexpr std::size_t dim = 200, count = 800;
  CHECK(chosen(any, clustered_floats(count, 20, 1), 20, 2).value().stride == 64);
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> noise(count * dim);
  for (float& x : noise) x = normal(random);
  CHECK(chosen(any, noise, dim, 2).value().stride >= 128);
  CHECK(chosen(any, clustered_floats(count, dim, 1), dim, 2).value().stride == 64);
}

TEST_CASE("clusters tighter than one quantization step get no codes") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> rows(2000 * 32);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<float>(i / 32 % 20 * (i % 32 * 37 % 11)) * 1000 + normal(random);
  CHECK_FALSE(chosen(any, rows, 32, 2));
}

TEST_CASE("the choice is one of the offered widths and does not depend on the number of threads") {
  const std::vector<float> sample = clustered_floats(700, 150, 3);
  for (const CodeWidth width : {CodeWidth::eight, CodeWidth::four}) {
    const std::optional<CodeFormat> one = chosen({&width, 1}, sample, 150, 1),
                                    three = chosen({&width, 1}, sample, 150, 3);
    REQUIRE(one.has_value() == three.has_value());
    if (!one) continue;
    CHECK(one->width == width);
    CHECK(one->stride == three->stride);
    CHECK(one->stride % 64 == 0);
  }
}

TEST_CASE("degenerate samples get a valid choice") {
  for (const std::size_t count : {1, 2, 5, 300})
    CHECK(chosen(any, std::vector<float>(count * 90, 2.0f), 90, 2).has_value());
  CHECK(chosen(any, clustered_floats(200, 1, 4), 1, 2).value().stride == 64);
}

}  // namespace
}  // namespace lookalike
