// Sums over selected rows in double precision, for every instruction set. `V` holds eight doubles.
#pragma once

#include <cstddef>

#include "base/types.hpp"
#include "kernels/distance.hpp"

namespace lookalike {
namespace {

/// Accumulates the single sum of a distance along a row.
template <class Step>
struct OneSum {
  static constexpr std::size_t count = 1;
  template <class V>
  static void add(typename V::Accumulator* sums, typename V::Register query, typename V::Register row) {
    sums[0] = Step::template step<V>(sums[0], query, row);
  }
};

/// Accumulates <query, row> and <row, row> along a row, for the cosine.
struct ProductAndSquare {
  static constexpr std::size_t count = 2;
  template <class V>
  static void add(typename V::Accumulator* sums, typename V::Register query, typename V::Register row) {
    sums[0] = V::add_product(sums[0], query, row);
    sums[1] = V::add_product(sums[1], row, row);
  }
};

/// Element i is added to lane i % 8, in order, so that a row's sums are bit-identical on every instruction set and do
/// not depend on the other rows. Prefetches the `next` rows one cache line at a time while the current rows are summed.
template <class Memory, class V, class Sums, std::size_t rows, class Q, class X>
inline void sum_precisely(const Q* query, const X* const (&row)[rows], const X* const (&next)[rows], std::size_t dim,
                          double* out) {
  typename V::Accumulator sums[rows][Sums::count];
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < Sums::count; ++s) sums[r][s] = V::zero();
  std::size_t i = 0;
  const auto add_eight = [&] {
    const auto q = V::load(query + i);
    for (std::size_t r = 0; r < rows; ++r) Sums::template add<V>(sums[r], q, V::load(row[r] + i));
    i += 8;
  };
  constexpr std::size_t line = 64 / sizeof(X);
  while (i + line <= dim) {
    for (std::size_t r = 0; r < rows; ++r) Memory::prefetch(next[r] + i);
    for (std::size_t e = 0; e < line; e += 8) add_eight();
  }
  while (i + 8 <= dim) add_eight();
  if (i < dim) {
    const auto q = V::load_first(query + i, dim - i);
    for (std::size_t r = 0; r < rows; ++r) Sums::template add<V>(sums[r], q, V::load_first(row[r] + i, dim - i));
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t s = 0; s < Sums::count; ++s) *out++ = V::total(sums[r][s]);
}

template <class Memory, class V, class Sums, class Q, class X>
void gather_precisely(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks, std::size_t count,
                      std::size_t ahead, std::size_t dim, double* out) noexcept {
  const std::size_t last = count + ahead - 1;
  const auto row = [&](std::size_t i) {
    return reinterpret_cast<const X*>(rows + picks[i < last ? i : last] * stride);
  };
  std::size_t i = 0;
  if constexpr (V::rows == 4)
    for (; i + 4 <= count; i += 4, out += 4 * Sums::count)
      sum_precisely<Memory, V, Sums, 4>(query, {row(i), row(i + 1), row(i + 2), row(i + 3)},
                                        {row(i + 4), row(i + 5), row(i + 6), row(i + 7)}, dim, out);
  if constexpr (V::rows >= 2)
    for (; i + 2 <= count; i += 2, out += 2 * Sums::count)
      sum_precisely<Memory, V, Sums, 2>(query, {row(i), row(i + 1)}, {row(i + 2), row(i + 3)}, dim, out);
  for (; i < count; ++i, out += Sums::count) sum_precisely<Memory, V, Sums, 1>(query, {row(i)}, {row(i + 1)}, dim, out);
}

}  // namespace
}  // namespace lookalike
