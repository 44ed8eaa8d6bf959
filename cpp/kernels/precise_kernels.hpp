// One query against picked rows in double precision, written once for every instruction set. `V` is eight doubles.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "kernels/distance.hpp"

namespace lookalike {
namespace {

/// What is summed along a row: one sum of a distance's own steps, or
template <class Step>
struct OneSum {
  static constexpr std::size_t count = 1;
  template <class V>
  static void add(typename V::Accumulator* sums, typename V::Register query, typename V::Register row) {
    sums[0] = Step::template step<V>(sums[0], query, row);
  }
};

/// the two of a cosine.
struct ProductAndSquare {
  static constexpr std::size_t count = 2;
  template <class V>
  static void add(typename V::Accumulator* sums, typename V::Register query, typename V::Register row) {
    sums[0] = V::add_product(sums[0], query, row);
    sums[1] = V::add_product(sums[1], row, row);
  }
};

/// Element i is added to sum i % 8 of eight, in order: that is what makes a row's sums the same on every instruction
/// set and however many rows it is measured with.
template <class V, class Sums, std::size_t rows, class Q, class X>
inline void sum_precisely(const Q* query, const X* const (&row)[rows], std::size_t dim, double* out) {
  typename V::Accumulator sums[rows][Sums::count];
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < Sums::count; ++s) sums[r][s] = V::zero();
  std::size_t i = 0;
  for (; i + 8 <= dim; i += 8) {
    const auto q = V::load(query + i);
    for (std::size_t r = 0; r < rows; ++r) Sums::template add<V>(sums[r], q, V::load(row[r] + i));
  }
  if (i < dim) {
    const auto q = V::load_first(query + i, dim - i);
    for (std::size_t r = 0; r < rows; ++r) Sums::template add<V>(sums[r], q, V::load_first(row[r] + i, dim - i));
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < Sums::count; ++s) *out++ = V::total(sums[r][s]);
}

template <class V, class Sums, class Q, class X>
void gather_precisely(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks, std::size_t count,
                      std::size_t dim, double* out) noexcept {
  const auto row = [&](std::size_t i) { return reinterpret_cast<const X*>(rows + picks[i] * stride); };
  std::size_t i = 0;
  if constexpr (V::rows == 4)
    for (; i + 4 <= count; i += 4, out += 4 * Sums::count)
      sum_precisely<V, Sums, 4>(query, {row(i), row(i + 1), row(i + 2), row(i + 3)}, dim, out);
  if constexpr (V::rows >= 2)
    for (; i + 2 <= count; i += 2, out += 2 * Sums::count)
      sum_precisely<V, Sums, 2>(query, {row(i), row(i + 1)}, dim, out);
  for (; i < count; ++i, out += Sums::count) sum_precisely<V, Sums, 1>(query, {row(i)}, dim, out);
}

}  // namespace
}  // namespace lookalike
