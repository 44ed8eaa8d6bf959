#include "storage/crc32c.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

namespace lookalike {
namespace {

std::vector<std::byte> noise(std::size_t size) {
  std::mt19937 random(7);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// The definition: polynomial division, bit by bit.
std::uint32_t by_definition(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0u;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

TEST_CASE("published check values are reproduced") {
  const auto of = [](std::string_view text) { return crc32c(std::as_bytes(std::span<const char>(text))); };
  CHECK(of("") == 0);
  CHECK(of("123456789") == 0xe3069283);
  // RFC 3720, B.4: 32 zero bytes, and 32 bytes of ones.
  const std::vector<std::byte> zeros(32), ones(32, std::byte{0xff});
  CHECK(crc32c(zeros) == 0x8a9136aa);
  CHECK(crc32c(ones) == 0x62a8ab43);
}

TEST_CASE("every implementation agrees with the definition, at every length and alignment") {
  const std::vector<std::byte> bytes = noise(1300);
  for (std::size_t length = 0; length < 1290; length += length < 70 ? 1 : 61) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      const auto part = std::span(bytes).subspan(offset, length);
      const std::uint32_t expected = by_definition(part);
      REQUIRE(crc32c(part) == expected);
      REQUIRE(crc32c_by_table(part) == expected);
    }
  }
}

TEST_CASE("long streams agree, whole and in parts") {
  const std::vector<std::byte> bytes = noise(3 * 4096 * 4 + 3 * 128 * 2 + 21);
  const std::uint32_t expected = by_definition(bytes);
  CHECK(crc32c(bytes) == expected);
  CHECK(crc32c_by_table(bytes) == expected);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{12289}, bytes.size()}) {
    const auto front = std::span(bytes).first(cut), back = std::span(bytes).subspan(cut);
    CHECK(crc32c(back, crc32c(front)) == expected);
    CHECK(crc32c_by_table(back, crc32c_by_table(front)) == expected);
  }
}

}  // namespace
}  // namespace lookalike
