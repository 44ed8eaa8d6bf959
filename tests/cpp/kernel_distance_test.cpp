// Distance kernels of every supported instruction set against double-precision references.
#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels/dispatch.hpp"
#include "vectors.hpp"

namespace lookalike {
namespace {

using testing::number;
using testing::random_element;
using testing::Rows;

std::vector<std::size_t> dims() {
  std::vector<std::size_t> dims;
  for (std::size_t d = 1; d <= 67; ++d) dims.push_back(d);
  dims.insert(dims.end(), {100, 128, 784, 1280, 1536});
  return dims;
}

enum class Kind { squared_l2, inner_product };

/// The distance, and the sum of magnitudes that bounds its rounding error.
template <class Q, class X>
std::pair<double, double> reference(Kind kind, const Q* query, const Rows<X>& rows, std::size_t row, std::size_t dim) {
  double sum = 0, size = 0;
  for (std::size_t d = 0; d < dim; ++d) {
    const double q = number(query[d]), x = number(rows.at(row, d));
    const double term = kind == Kind::squared_l2 ? (q - x) * (q - x) : q * x;
    sum += term;
    size += std::abs(term);
  }
  return {kind == Kind::squared_l2 ? sum : -sum, size};
}

/// Tests scan and gather on dense and strided, aligned and unaligned rows.
template <class Q, class X, class MakeQ, class MakeX>
void check_kernel(const char* isa, const Kernels<Q>& kernel, Kind kind, std::size_t dim, MakeQ make_q, MakeX make_x) {
  constexpr std::size_t count = 9;  // two groups of four, and one
  for (const std::size_t padding : {std::size_t{0}, sizeof(X) * 3})
    for (const std::size_t offset : {std::size_t{0}, sizeof(X)}) {
      CAPTURE(std::string(isa));
      CAPTURE(dim);
      CAPTURE(padding);
      CAPTURE(offset);
      Rows<X> rows(count, dim, dim * sizeof(X) + padding, offset);
      rows.fill(make_x);
      const auto query = std::make_unique<Q[]>(dim);
      for (std::size_t d = 0; d < dim; ++d) query[d] = make_q();
      std::vector<float> scanned(count), gathered(count);
      std::vector<Row> picks;
      for (std::size_t i = 0; i < count; ++i) picks.push_back(static_cast<Row>((i * 5 + 2) % count));
      kernel.scan(query.get(), rows.data(), rows.stride(), count, dim, scanned.data());
      kernel.gather(query.get(), rows.data(), rows.stride(), picks.data(), count, dim, gathered.data());
      for (std::size_t i = 0; i < count; ++i) {
        const auto [truth, size] = reference(kind, query.get(), rows, i, dim);
        const bool integers = std::is_integral_v<Q> && std::is_integral_v<X>;
        if (integers)
          CHECK(scanned[i] == static_cast<float>(truth));  // exact until the last rounding
        else
          CHECK(std::abs(scanned[i] - truth) <= static_cast<double>(dim + 16) * 0x1p-24 * size + 1e-30);
        CHECK(gathered[i] == scanned[picks[i]]);
      }
    }
}

template <class Q, class X>
void check_random(const char* isa, const Kernels<Q>& l2, const Kernels<Q>& ip) {
  std::mt19937 random(1);
  for (const std::size_t dim : dims()) {
    const auto q = [&] { return random_element<Q>(random); };
    const auto x = [&] { return random_element<X>(random); };
    check_kernel<Q, X>(isa, l2, Kind::squared_l2, dim, q, x);
    check_kernel<Q, X>(isa, ip, Kind::inner_product, dim, q, x);
  }
}

/// Vectors of extreme values, for which 16-bit sums would saturate.
template <class X>
void check_extremes(const char* isa, const Kernels<X>& l2, const Kernels<X>& ip) {
  const X low = std::numeric_limits<X>::min(), high = std::numeric_limits<X>::max();
  for (const std::size_t dim :
       {std::size_t{1}, std::size_t{31}, std::size_t{784}, std::size_t{1536}, std::size_t{16384}})
    for (const X q : {low, high})
      for (const X x : {low, high}) {
        check_kernel<X, X>(isa, l2, Kind::squared_l2, dim, [&] { return q; }, [&] { return x; });
        check_kernel<X, X>(isa, ip, Kind::inner_product, dim, [&] { return q; }, [&] { return x; });
      }
}

TEST_CASE("float queries with rows of every number type") {
  for (const KernelTable* table : runnable_kernels()) {
    check_random<float, float>(table->isa, table->squared_l2_f32, table->inner_product_f32);
    check_random<float, Half>(table->isa, table->squared_l2_f16, table->inner_product_f16);
    check_random<float, std::uint8_t>(table->isa, table->squared_l2_f32_u8, table->inner_product_f32_u8);
    check_random<float, std::int8_t>(table->isa, table->squared_l2_f32_s8, table->inner_product_f32_s8);
  }
}

TEST_CASE("integer distances are exact, also for extreme values") {
  for (const KernelTable* table : runnable_kernels()) {
    check_random<std::uint8_t, std::uint8_t>(table->isa, table->squared_l2_u8, table->inner_product_u8);
    check_random<std::int8_t, std::int8_t>(table->isa, table->squared_l2_s8, table->inner_product_s8);
    check_extremes<std::uint8_t>(table->isa, table->squared_l2_u8, table->inner_product_u8);
    check_extremes<std::int8_t>(table->isa, table->squared_l2_s8, table->inner_product_s8);
  }
}

TEST_CASE("Hamming distances count differing bits") {
  std::mt19937 random(2);
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t dim : dims())
      for (const std::size_t offset : {0, 1}) {
        constexpr std::size_t count = 7;
        CAPTURE(std::string(table->isa));
        CAPTURE(dim);
        Rows<std::uint8_t> rows(count, dim, dim + offset, offset);
        rows.fill([&] { return random_element<std::uint8_t>(random); });
        const auto query = std::make_unique<std::uint8_t[]>(dim);
        for (std::size_t d = 0; d < dim; ++d) query[d] = random_element<std::uint8_t>(random);
        std::vector<float> out(count), gathered(count);
        const std::vector<Row> picks = {6, 5, 4, 3, 2, 1, 0};
        table->hamming.scan(query.get(), rows.data(), rows.stride(), count, dim, out.data());
        table->hamming.gather(query.get(), rows.data(), rows.stride(), picks.data(), count, dim, gathered.data());
        for (std::size_t i = 0; i < count; ++i) {
          int bits = 0;
          for (std::size_t d = 0; d < dim; ++d) bits += std::popcount(static_cast<unsigned>(query[d] ^ rows.at(i, d)));
          CHECK(out[i] == static_cast<float>(bits));
          CHECK(gathered[picks[i]] == out[i]);
        }
      }
}

TEST_CASE("dot products of codes of 8, 4, 2 and 1 bits are exact, and their CodeTail is applied") {
  std::mt19937 random(3);
  for (const KernelTable* table : runnable_kernels())
    for (const auto& of_width : {std::pair(table->dot_u8, 8u), std::pair(table->dot_u4, 4u),
                                 std::pair(table->dot_u2, 2u), std::pair(table->dot_u1, 1u)})
      for (const std::size_t stride : {64, 128, 832}) {
        const auto kernel = of_width.first;
        const unsigned width = of_width.second;
        CAPTURE(std::string(table->isa));
        CAPTURE(width);
        constexpr std::size_t count = 7;
        std::vector<std::byte> rows(count * stride);
        for (std::byte& byte : rows) byte = static_cast<std::byte>(random());
        const std::size_t codes = (stride - sizeof(CodeTail)) * 8 / width;
        std::vector<std::int8_t> query(stride * 8 / width);
        for (std::size_t i = 0; i < codes; ++i) query[i] = static_cast<std::int8_t>(i % 3 ? random() : -128);
        const std::vector<Row> picks = {6, 0, 3, 3, 5, 1};
        for (std::size_t row = 0; row < count; ++row) {
          const CodeTail tail = {static_cast<float>(row), 0.5f};
          std::memcpy(rows.data() + (row + 1) * stride - sizeof tail, &tail, sizeof tail);
        }
        std::vector<float> out(picks.size());
        kernel({query.data(), -2, 3}, rows.data(), stride, picks.data(), picks.size(), out.data());
        for (std::size_t p = 0; p < picks.size(); ++p) {
          int product = 0;
          for (std::size_t i = 0; i < codes; ++i) {
            const auto byte = static_cast<unsigned>(rows[picks[p] * stride + i * width / 8]);
            product += query[i] * static_cast<int>(byte >> (i * width % 8) & ((1u << width) - 1));
          }
          CHECK(out[p] == static_cast<float>(picks[p]) + 0.5f * (-2.f * static_cast<float>(product) + 3.f));
        }
      }
}

TEST_CASE("every half widens exactly") {
  for (const KernelTable* table : runnable_kernels()) {
    std::vector<Half> halves;
    for (unsigned bits = 0; bits < 65536; ++bits)
      if ((bits >> 10 & 31) != 31) halves.push_back({static_cast<std::uint16_t>(bits)});
    halves.pop_back();  // an odd count, so that the last register is partial
    std::vector<float> wide(halves.size());
    table->widen(halves.data(), halves.size(), wide.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const unsigned bits = halves[i].bits, exponent = bits >> 10 & 31, fraction = bits & 1023;
      const double size =
          exponent ? std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25) : std::ldexp(fraction, -24);
      wrong += wide[i] != static_cast<float>(bits >> 15 ? -size : size);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("values not above a limit are counted and found in order, including NaN") {
  std::mt19937 random(3);
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t count : {0, 1, 7, 16, 33, 100}) {
      std::vector<float> values(count);
      for (float& value : values) value = random_element<float>(random);
      if (count > 5) values[5] = std::numeric_limits<float>::quiet_NaN();
      std::vector<std::uint32_t> expected, found(count);
      for (std::size_t i = 0; i < count; ++i)
        if (!(values[i] > 0.25f)) expected.push_back(static_cast<std::uint32_t>(i));
      CHECK(table->count_not_above(values.data(), count, 0.25f) == expected.size());
      found.resize(table->find_not_above(values.data(), count, 0.25f, found.data()));
      CHECK(found == expected);
    }
}

TEST_CASE("a value is inserted before equal values, the last one is dropped, and no value outside moves") {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  std::mt19937_64 random(4);
  for (const KernelTable* table : runnable_kernels())
    for (std::size_t count = 1; count <= 70; ++count)
      for (const bool has_duplicates : {true, false}) {
        CAPTURE(std::string(table->isa));
        CAPTURE(count);
        std::vector<std::int64_t> room(count + 2 * sorted_margin, highest), expected(count, highest);
        std::fill_n(room.begin(), sorted_margin, lowest);
        std::int64_t* const values = room.data() + sorted_margin;
        std::size_t wrong = 0;
        for (std::size_t step = 0; step < 3 * count + 20; ++step) {
          const auto value =
              has_duplicates ? static_cast<std::int64_t>(random() % count) - 3 : static_cast<std::int64_t>(random());
          const auto place = std::lower_bound(expected.begin(), expected.end(), value) - expected.begin();
          expected.insert(std::upper_bound(expected.begin(), expected.end(), value), value);
          expected.pop_back();
          wrong += table->insert_sorted(values, count, value) != static_cast<std::size_t>(place);
          wrong += !std::equal(expected.begin(), expected.end(), values);
        }
        CHECK(wrong == 0);
        CHECK(std::count(room.begin(), room.begin() + sorted_margin, lowest) == sorted_margin);
      }
}

}  // namespace
}  // namespace lookalike
