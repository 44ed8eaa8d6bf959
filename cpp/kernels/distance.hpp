// One query against many rows, written once for every instruction set. `V` is a family of simd/<isa>.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/types.hpp"

namespace lookalike {
namespace {

struct SquaredL2 {
  template <class V>
  static typename V::Accumulator step(typename V::Accumulator sum, typename V::Register a, typename V::Register b) {
    return V::add_squared_difference(sum, a, b);
  }
  static float finish(float sum) { return sum; }
};

struct InnerProduct {
  template <class V>
  static typename V::Accumulator step(typename V::Accumulator sum, typename V::Register a, typename V::Register b) {
    return V::add_product(sum, a, b);
  }
  static float finish(float sum) { return -sum; }
};

struct Hamming {
  template <class V>
  static typename V::Accumulator step(typename V::Accumulator sum, typename V::Register a, typename V::Register b) {
    return V::add_differing(sum, a, b);
  }
  static float finish(float sum) { return sum; }
};

/// Four rows at once: the query is loaded once for all of them, and four sums hide the latency of one.
template <class V, class Step, class Q, class X>
inline void measure_four(const Q* query, const X* const (&rows)[4], std::size_t dim, float* out) {
  typename V::Accumulator sums[4] = {V::zero(), V::zero(), V::zero(), V::zero()};
  std::size_t i = 0;
  for (; i + V::lanes <= dim; i += V::lanes) {
    const auto q = V::load(query + i);
    for (int r = 0; r < 4; ++r) sums[r] = Step::template step<V>(sums[r], q, V::load(rows[r] + i));
  }
  if (i < dim) {
    const auto q = V::load_first(query + i, dim - i);
    for (int r = 0; r < 4; ++r) sums[r] = Step::template step<V>(sums[r], q, V::load_first(rows[r] + i, dim - i));
  }
  V::totals(sums, out);
  for (int r = 0; r < 4; ++r) out[r] = Step::finish(out[r]);
}

/// Rows row(i) for i in [0, count), four at a time. The last group is filled up with its last row, so that a distance
/// never depends on which rows it was asked for with.
template <class V, class Step, class Q, class RowOf, class Prefetch>
inline void measure_all(const Q* query, RowOf row, std::size_t count, std::size_t dim, Prefetch prefetch, float* out) {
  using X = decltype(row(0));
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    prefetch(i);
    const X four[4] = {row(i), row(i + 1), row(i + 2), row(i + 3)};
    measure_four<V, Step>(query, four, dim, out + i);
  }
  if (i == count) return;
  const X last = row(count - 1);
  const X four[4] = {row(i), i + 1 < count ? row(i + 1) : last, i + 2 < count ? row(i + 2) : last, last};
  float distances[4];
  measure_four<V, Step>(query, four, dim, distances);
  for (std::size_t r = 0; i + r < count; ++r) out[i + r] = distances[r];
}

template <class V, class Step, class Q, class X>
void scan(const Q* query, const std::byte* rows, std::size_t stride, std::size_t count, std::size_t dim,
          float* out) noexcept {
  const auto row = [&](std::size_t i) { return reinterpret_cast<const X*>(rows + i * stride); };
  measure_all<V, Step>(query, row, count, dim, [](std::size_t) {}, out);
}

/// Asks for the whole of a short row; of a long one the first lines, and the hardware follows.
template <class Memory>
inline void prefetch_row(const std::byte* row, std::size_t bytes) {
  constexpr std::size_t line = 64, most = 16;
  const std::size_t lines = (bytes + line - 1) / line;
  for (std::size_t l = 0; l < (lines < most ? lines : most); ++l) Memory::prefetch(row + l * line);
}

template <class Memory, class V, class Step, class Q, class X>
void gather(const Q* query, const std::byte* rows, std::size_t stride, const Row* picks, std::size_t count,
            std::size_t dim, float* out) noexcept {
  constexpr std::size_t ahead = 8;
  const auto row = [&](std::size_t i) { return reinterpret_cast<const X*>(rows + picks[i] * stride); };
  const auto want = [&](std::size_t i) {
    if (i < count) prefetch_row<Memory>(rows + picks[i] * stride, dim * sizeof(X));
  };
  for (std::size_t i = 0; i < ahead; ++i) want(i);
  const auto prefetch = [&](std::size_t i) {
    for (std::size_t a = 0; a < 4; ++a) want(i + ahead + a);
  };
  measure_all<V, Step>(query, row, count, dim, prefetch, out);
}

}  // namespace
}  // namespace lookalike
