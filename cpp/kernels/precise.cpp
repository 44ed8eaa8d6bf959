#include "kernels/precise.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "kernels/table.hpp"

namespace lookalike {
namespace {

/// Sums of term(i), eight at a time: a fixed order whatever the compiler makes of it.
template <class Sum, class Term>
Sum sum_of(std::size_t first, std::size_t last, Term term) {
  Sum sums[8] = {};
  std::size_t i = first;
  for (; i + 8 <= last; i += 8)
    for (std::size_t s = 0; s < 8; ++s) sums[s] += term(i + s);
  for (; i < last; ++i) sums[i % 8] += term(i);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Integers are summed in 32 bits, as many at a time as fit; everything else in double.
template <class A, class B, class Term>
double exact_sum(std::size_t dim, Term term) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    constexpr std::size_t piece = 16384;  // terms below 2^16 in size: their sum is below 2^31
    std::int64_t total = 0;
    for (std::size_t i = 0; i < dim; i += piece)
      total +=
          sum_of<std::int32_t>(i, std::min(dim, i + piece), [=](std::size_t d) { return term(std::int32_t{}, d); });
    return static_cast<double>(total);
  } else {
    return sum_of<double>(0, dim, [=](std::size_t d) { return term(double{}, d); });
  }
}

template <class A, class B>
double dot(const A* a, const B* b, std::size_t dim) {
  return exact_sum<A, B>(
      dim, [=]<class Wide>(Wide, std::size_t i) -> Wide { return static_cast<Wide>(a[i]) * static_cast<Wide>(b[i]); });
}

template <class A, class B>
double squared_l2(const A* a, const B* b, std::size_t dim) {
  return exact_sum<A, B>(dim, [=]<class Wide>(Wide, std::size_t i) -> Wide {
    const Wide difference = static_cast<Wide>(a[i]) - static_cast<Wide>(b[i]);
    return difference * difference;
  });
}

template <class Q, class X>
double distance(Metric metric, const Q* query, const X* row, std::size_t dim) {
  switch (metric) {
    case Metric::l2: return squared_l2(query, row, dim);
    case Metric::ip: return -dot(query, row, dim);
    case Metric::cosine: {
      const double squares = dot(query, query, dim) * dot(row, row, dim);
      return squares > 0 ? std::clamp(1 - dot(query, row, dim) / std::sqrt(squares), 0.0, 2.0) : 1;
    }
    case Metric::hamming: break;
  }
  return 0;
}

double hamming(const std::uint8_t* a, const std::byte* b, std::size_t bytes) {
  std::uint64_t differing = 0;
  std::size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    std::uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    differing += static_cast<std::uint64_t>(std::popcount(x ^ y));
  }
  for (; i < bytes; ++i)
    differing +=
        static_cast<std::uint64_t>(std::popcount(static_cast<unsigned>(a[i] ^ static_cast<std::uint8_t>(b[i]))));
  return static_cast<double>(differing);
}

/// Calls use(const X*) with the row as numbers; halves are widened a piece at a time by the caller's buffer.
template <class Use>
double with_numbers(const std::byte* row, Element element, std::size_t dim, Use use) {
  switch (element) {
    case Element::f32: return use(reinterpret_cast<const float*>(row));
    case Element::u8: return use(reinterpret_cast<const std::uint8_t*>(row));
    case Element::s8: return use(reinterpret_cast<const std::int8_t*>(row));
    case Element::f16: {
      thread_local std::vector<float> wide;
      wide.resize(std::max(wide.size(), dim));
      kernels().widen(reinterpret_cast<const Half*>(row), dim, wide.data());
      return use(static_cast<const float*>(wide.data()));
    }
    case Element::bits: break;
  }
  return 0;
}

}  // namespace

template <class Q>
double precise_distance(Metric metric, const Q* query, const std::byte* row, Element element, std::size_t dim) {
  if constexpr (std::is_same_v<Q, std::uint8_t>)
    if (metric == Metric::hamming) return hamming(query, row, dim);
  return with_numbers(row, element, dim, [&](const auto* x) { return distance(metric, query, x, dim); });
}

template double precise_distance(Metric, const float*, const std::byte*, Element, std::size_t);
template double precise_distance(Metric, const std::uint8_t*, const std::byte*, Element, std::size_t);
template double precise_distance(Metric, const std::int8_t*, const std::byte*, Element, std::size_t);

double precise_square(const std::byte* row, Element element, std::size_t dim) {
  return with_numbers(row, element, dim, [&](const auto* x) { return dot(x, x, dim); });
}

}  // namespace lookalike
