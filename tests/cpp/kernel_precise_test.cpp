// Double-precision kernels of every supported instruction set against scalar sums.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.hpp"
#include "kernels/precise.hpp"
#include "vectors.hpp"

namespace lookalike {
namespace {

using testing::number;
using testing::random_element;
using testing::Rows;

/// Sums eight lanes in the order that every instruction set uses.
template <class Term>
double sum_in_order(std::size_t dim, Term term) {
  double sums[8] = {};
  for (std::size_t i = 0; i < dim; ++i) sums[i % 8] += term(i);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Tests dense and strided, aligned and unaligned rows, from one row to more than one group.
template <class Q, class X>
void check(const char* isa, const PreciseKernels<Q>& kernels) {
  std::mt19937 random(1);
  std::vector<std::size_t> dims = {100, 128, 784, 1280, 1537};
  for (std::size_t dim = 1; dim <= 40; ++dim) dims.push_back(dim);
  for (const std::size_t dim : dims)
    for (const std::size_t padding : {std::size_t{0}, sizeof(X) * 3})
      for (const std::size_t offset : {std::size_t{0}, sizeof(X)}) {
        constexpr std::size_t count = 7;  // groups of four, two and one
        CAPTURE(std::string(isa));
        CAPTURE(dim);
        Rows<X> rows(count, dim, dim * sizeof(X) + padding, offset);
        rows.fill([&] { return random_element<X>(random); });
        const auto query = std::make_unique<Q[]>(dim);
        for (std::size_t d = 0; d < dim; ++d) query[d] = random_element<Q>(random);
        const std::vector<Row> picks = {2, 0, 5, 3, 6, 1, 4};
        for (std::size_t selected = 1; selected <= count; selected += selected == 1 ? 2 : 4) {
          double squares[count], products[count], both[2 * count];
          const Q* const q = query.get();
          kernels.squared_l2(q, rows.data(), rows.stride(), picks.data(), selected, selected == 7 ? 0 : 1, dim,
                             squares);
          kernels.product(q, rows.data(), rows.stride(), picks.data(), selected, selected == 7 ? 0 : 1, dim, products);
          kernels.product_and_square(q, rows.data(), rows.stride(), picks.data(), selected, selected == 7 ? 0 : 1, dim,
                                     both);
          for (std::size_t i = 0; i < selected; ++i) {
            const auto x = [&](std::size_t d) { return number(rows.at(picks[i], d)); };
            const auto difference = [&](std::size_t d) { return number(q[d]) - x(d); };
            CHECK(squares[i] == sum_in_order(dim, [&](std::size_t d) { return difference(d) * difference(d); }));
            CHECK(products[i] == sum_in_order(dim, [&](std::size_t d) { return number(q[d]) * x(d); }));
            CHECK(both[2 * i] == products[i]);
            CHECK(both[2 * i + 1] == sum_in_order(dim, [&](std::size_t d) { return x(d) * x(d); }));
          }
        }
      }
}

TEST_CASE("double-precision sums are bit-identical on every instruction set") {
  for (const KernelTable* table : runnable_kernels()) {
    check<float, float>(table->isa, table->precise_f32);
    check<float, Half>(table->isa, table->precise_f16);
    check<float, std::uint8_t>(table->isa, table->precise_f32_u8);
    check<float, std::int8_t>(table->isa, table->precise_f32_s8);
    check<std::uint8_t, std::uint8_t>(table->isa, table->precise_u8);
    check<std::int8_t, std::int8_t>(table->isa, table->precise_s8);
  }
}

TEST_CASE("the squared norm of halves equals that of the widened floats") {
  std::mt19937 random(2);
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t dim : {1, 7, 8, 9, 77, 1280}) {
      Rows<Half> rows(1, dim, dim * sizeof(Half), sizeof(Half));
      rows.fill([&] { return random_element<Half>(random); });
      constexpr Row first = 0;
      double square;
      table->precise_product_halves(reinterpret_cast<const Half*>(rows.data()), rows.data(), rows.stride(), &first, 1,
                                    0, dim, &square);
      CHECK(square == sum_in_order(dim, [&](std::size_t d) { return number(rows.at(0, d)) * number(rows.at(0, d)); }));
    }
}

TEST_CASE("sums of extreme bytes are exact, also beyond the exact range of float") {
  for (const std::size_t dim : {1, 257, 258, 259, 1280, 65536}) {
    const std::vector<std::uint8_t> low(dim, 0), high(dim, 255);
    const auto* const row = reinterpret_cast<const std::byte*>(high.data());
    const double square = 65025.0 * static_cast<double>(dim);
    CAPTURE(dim);
    CHECK(precise_distance(Metric::l2, low.data(), row, Element::u8, dim) == square);
    CHECK(precise_distance(Metric::ip, high.data(), row, Element::u8, dim) == -square);
    CHECK(precise_distance(Metric::cosine, high.data(), row, Element::u8, dim) == 0);
    CHECK(precise_distance(Metric::cosine, low.data(), row, Element::u8, dim) == 1);
    CHECK(precise_distance(Metric::hamming, low.data(), row, Element::bits, dim) == 8.0 * static_cast<double>(dim));
    CHECK(precise_squared_norm(row, Element::u8, dim) == square);
  }
}

}  // namespace
}  // namespace lookalike
