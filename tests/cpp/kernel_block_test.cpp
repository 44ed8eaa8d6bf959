// Block kernels of every instruction set against scalar loops.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/code_block.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

template <int bits>
void check(const KernelTable& table, BlockKernel kernel, std::size_t units, std::size_t blocks, std::size_t queries) {
  CAPTURE(table.isa);
  CAPTURE(bits);
  CAPTURE(units);
  CAPTURE(queries);
  constexpr std::size_t rows = CodeBlock::rows, words = 8 / bits;
  std::mt19937 random(static_cast<unsigned>(units * 31 + blocks * 7 + queries));
  std::vector<std::byte> data(blocks * CodeBlock::bytes(units));
  for (std::byte& byte : data) byte = static_cast<std::byte>(random());
  for (std::size_t b = 0; b < blocks; ++b)
    for (std::size_t i = 0; i < 2 * rows; ++i) {
      const float value = static_cast<float>(random() % 1000) / 64;
      std::memcpy(data.data() + (b + 1) * CodeBlock::bytes(units) - CodeBlock::tail_bytes + i * sizeof value, &value,
                  sizeof value);
    }
  std::vector<std::vector<std::int32_t>> values(queries, std::vector<std::int32_t>(units * words));
  std::vector<BlockQuery> prepared;
  for (auto& query_words : values) {
    for (std::int32_t& word : query_words) {
      std::int8_t bytes[4];
      for (std::int8_t& byte : bytes) byte = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
      std::memcpy(&word, bytes, sizeof word);
    }
    prepared.push_back({query_words.data(), -0.25f, 3.5f});
  }
  std::vector<float> out(queries * blocks * rows + 1, -1.0f);
  kernel(prepared.data(), queries, data.data(), units, blocks, out.data());
  CHECK(out.back() == -1.0f);

  for (std::size_t q = 0; q < queries; ++q)
    for (std::size_t row = 0; row < blocks * rows; ++row) {
      const std::byte* const block = data.data() + row / rows * CodeBlock::bytes(units);
      long sum = 0;
      for (std::size_t u = 0; u < units; ++u)
        for (std::size_t w = 0; w < words; ++w)
          for (std::size_t j = 0; j < 4; ++j) {
            const auto byte = static_cast<unsigned>(block[(u * rows + row % rows) * 4 + j]);
            const unsigned code = byte >> (w * bits) & ((1u << bits) - 1);
            std::int8_t value[4];
            std::memcpy(value, &values[q][u * words + w], sizeof value);
            sum += static_cast<long>(code) * value[j];
          }
      float bias, step;
      const std::byte* const tail = block + CodeBlock::bytes(units) - CodeBlock::tail_bytes;
      std::memcpy(&bias, tail + row % rows * sizeof bias, sizeof bias);
      std::memcpy(&step, tail + (rows + row % rows) * sizeof step, sizeof step);
      const double expected = bias + double{step} * (-0.25 * static_cast<double>(sum) + 3.5);
      const double size = std::abs(bias) + std::abs(double{step}) * (0.25 * std::abs(static_cast<double>(sum)) + 3.5);
      REQUIRE(std::abs(out[q * blocks * rows + row] - expected) <= 1e-6 * size);
    }

  // Results do not depend on the other queries and blocks.
  std::vector<float> alone(rows);
  kernel(prepared.data() + queries - 1, 1, data.data() + (blocks - 1) * CodeBlock::bytes(units), units, 1,
         alone.data());
  CHECK(std::equal(alone.begin(), alone.end(), out.end() - 1 - static_cast<std::ptrdiff_t>(rows)));
}

TEST_CASE("block kernels of every instruction set match the reference") {
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t units : {1, 3, 16, 41})
      for (const std::size_t queries : {1, 2, 3, 4, 7}) {
        check<8>(*table, table->block_u8, units, 3, queries);
        check<4>(*table, table->block_u4, units, 3, queries);
        check<2>(*table, table->block_u2, units, 3, queries);
        check<1>(*table, table->block_u1, units, 3, queries);
      }
}

}  // namespace
}  // namespace lookalike
