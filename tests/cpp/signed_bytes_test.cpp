// Rounding floats to signed bytes, equally on every instruction set.
#include "linalg/signed_bytes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

TEST_CASE("values are rounded to multiples of step = largest magnitude / 127") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const std::size_t count : {1, 3, 15, 16, 17, 63, 64, 65, 200, 1000})
    for (const float scale : {1e-30f, 1e-3f, 1.0f, 1e30f}) {
      CAPTURE(count);
      CAPTURE(scale);
      std::vector<float> values(count);
      for (float& x : values) x = scale * normal(random);
      float largest = 0;
      for (const float x : values) largest = std::max(largest, std::abs(x));
      std::vector<std::int8_t> first;
      for (const KernelTable* table : runnable_kernels()) {
        CAPTURE(table->isa);
        std::vector<std::int8_t> bytes(count + 1, 99);
        const float step = table->round_to_bytes(values.data(), count, bytes.data());
        CHECK(bytes.back() == 99);
        bytes.pop_back();
        CHECK(step == doctest::Approx(largest / 127));
        for (std::size_t i = 0; i < count; ++i) {
          CHECK(std::abs(step * static_cast<float>(bytes[i]) - values[i]) <= 0.5001f * step);
          CHECK(bytes[i] >= -127);
        }
        if (first.empty()) first = bytes;
        CHECK(bytes == first);
      }
    }
}

TEST_CASE("ties round to even, and zeros have step 0") {
  const std::vector<float> values = {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -127, 126.5f};
  const std::vector<float> none(70), nearly(70, 1e-44f);
  for (const KernelTable* table : runnable_kernels()) {
    CAPTURE(table->isa);
    std::vector<std::int8_t> bytes(values.size());
    CHECK(table->round_to_bytes(values.data(), values.size(), bytes.data()) == 1);
    CHECK(bytes == std::vector<std::int8_t>{127, 0, 2, 2, 0, -2, -127, 126});
    for (const std::vector<float>* zeros : {&none, &nearly}) {
      std::vector<std::int8_t> out(70, 99);
      CHECK(table->round_to_bytes(zeros->data(), 70, out.data()) == 0);
      CHECK(out == std::vector<std::int8_t>(70, 0));
    }
  }
}

TEST_CASE("bytes are padded with zeros, and summed") {
  SignedBytes bytes;
  for (const std::size_t room : {64, 5}) {
    bytes.assign(std::vector<float>{1, -2, 4, 0.5f}, room);
    REQUIRE(bytes.bytes.size() == room);
    CHECK(std::all_of(bytes.bytes.begin() + 4, bytes.bytes.end(), [](std::int8_t byte) { return byte == 0; }));
    CHECK(bytes.bytes[2] == 127);
    CHECK(bytes.sum() == 32 - 64 + 127 + 16);
    CHECK(bytes.step == doctest::Approx(4.0 / 127));
  }
}

}  // namespace
}  // namespace lookalike
