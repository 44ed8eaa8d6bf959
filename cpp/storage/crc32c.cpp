#include "storage/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace lookalike {
namespace {

static_assert(std::endian::native == std::endian::little);

// A checksum register is a polynomial over GF(2) modulo the Castagnoli polynomial. Bit 31 is the coefficient of x^0.
constexpr std::uint32_t polynomial = 0x82f63b78;

constexpr std::uint32_t times_x(std::uint32_t a) { return (a >> 1) ^ (a & 1 ? polynomial : 0); }

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (std::uint32_t bit = 0x80000000; bit; bit >>= 1, b = times_x(b)) {
    if (a & bit) product ^= b;
  }
  return product;
}

constexpr std::uint32_t x_to_the(std::size_t exponent) {
  std::uint32_t power = 0x80000000;
  for (std::uint32_t square = 0x40000000; exponent; exponent >>= 1, square = multiply(square, square)) {
    if (exponent & 1) power = multiply(power, square);
  }
  return power;
}

using ByteTables = std::array<std::array<std::uint32_t, 256>, 4>;

/// tables[i][v] is `factor` times the register that holds v in byte i, so multiplying a register takes four look-ups.
constexpr ByteTables multiplication_by(std::uint32_t factor) {
  ByteTables tables{};
  for (unsigned i = 0; i < 4; ++i) {
    for (std::uint32_t value = 0; value < 256; ++value) tables[i][value] = multiply(value << (8 * i), factor);
  }
  return tables;
}

constexpr std::uint32_t look_up(const ByteTables& tables, std::uint32_t crc) {
  return tables[0][crc & 255] ^ tables[1][crc >> 8 & 255] ^ tables[2][crc >> 16 & 255] ^ tables[3][crc >> 24];
}

std::uint64_t load(const std::byte* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

#if defined(__SSE4_2__) || defined(__ARM_FEATURE_CRC32)

#if defined(__SSE4_2__)
std::uint32_t step(std::uint32_t crc, std::byte byte) noexcept {
  return _mm_crc32_u8(crc, static_cast<unsigned char>(byte));
}
std::uint32_t step(std::uint32_t crc, std::uint64_t word) noexcept {
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
}
#else
std::uint32_t step(std::uint32_t crc, std::byte byte) noexcept {
  return __crc32cb(crc, static_cast<std::uint8_t>(byte));
}
std::uint32_t step(std::uint32_t crc, std::uint64_t word) noexcept { return __crc32cd(crc, word); }
#endif

// The CRC instruction has a latency of three cycles and a throughput of one per cycle, so three streams run in
// parallel. Appending n bytes multiplies a register by x^(8 * n), so each stream is multiplied by that factor for the
// bytes behind it, and the three results are added.
template <std::size_t stream_bytes>
std::uint32_t three_streams(const std::byte*& bytes, std::size_t& length, std::uint32_t crc) noexcept {
  static constexpr ByteTables advance = multiplication_by(x_to_the(8 * stream_bytes));
  for (; length >= 3 * stream_bytes; bytes += 3 * stream_bytes, length -= 3 * stream_bytes) {
    std::uint32_t middle = 0, last = 0;
    for (std::size_t i = 0; i < stream_bytes; i += 8) {
      crc = step(crc, load(bytes + i));
      middle = step(middle, load(bytes + stream_bytes + i));
      last = step(last, load(bytes + 2 * stream_bytes + i));
    }
    crc = look_up(advance, look_up(advance, crc) ^ middle) ^ last;
  }
  return crc;
}

std::uint32_t update(const std::byte* bytes, std::size_t length, std::uint32_t crc) noexcept {
  crc = three_streams<4096>(bytes, length, crc);
  crc = three_streams<128>(bytes, length, crc);
  for (; length >= 8; bytes += 8, length -= 8) crc = step(crc, load(bytes));
  for (; length; ++bytes, --length) crc = step(crc, *bytes);
  return crc;
}

#else

std::uint32_t update(const std::byte* bytes, std::size_t length, std::uint32_t crc) noexcept {
  return ~crc32c_by_table({bytes, length}, ~crc);
}

#endif

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  return ~update(bytes.data(), bytes.size(), ~crc);
}

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  // Eight bytes per step: the first four are added to the register and advanced by eight bytes, the others by four.
  static constexpr ByteTables by_eight = multiplication_by(x_to_the(64));
  static constexpr ByteTables by_four = multiplication_by(x_to_the(32));
  const std::byte* next = bytes.data();
  std::size_t length = bytes.size();
  crc = ~crc;
  for (; length >= 8; next += 8, length -= 8) {
    const std::uint64_t word = load(next);
    crc = look_up(by_eight, crc ^ static_cast<std::uint32_t>(word)) ^
          look_up(by_four, static_cast<std::uint32_t>(word >> 32));
  }
  // One byte per step. A value in byte 0 times x^8 equals the value in byte 3 times x^32, so by_four[3] applies.
  for (; length; ++next, --length) {
    crc = (crc >> 8) ^ by_four[3][(crc ^ static_cast<std::uint32_t>(*next)) & 255];
  }
  return ~crc;
}

}  // namespace lookalike
