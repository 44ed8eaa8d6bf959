#include "kernels/precise.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "kernels/table.hpp"

namespace lookalike {
namespace {

using T = KernelTable;
using Gather = decltype(PreciseScorer::gather);

/// Products and squared differences of bytes are below 2^16, so a float holds the sum of this many exactly.
constexpr std::size_t exact_in_float = 256;

/// Calls use(picks, count, ahead, out) for batches of at most eight rows.
template <class Use>
void in_batches(const Row* picks, std::size_t count, std::size_t ahead, double* out, Use use) {
  constexpr std::size_t max_batch = 8;
  for (std::size_t i = 0; i < count; i += max_batch) {
    const std::size_t batch = std::min(max_batch, count - i);
    use(picks + i, batch, count - i - batch + ahead, out + i);
  }
}

template <auto precise, class Q>
void squared_l2(const PreciseScorer& s, const Row* picks, std::size_t count, std::size_t ahead, double* out) noexcept {
  (kernels().*precise)
      .squared_l2(reinterpret_cast<const Q*>(s.query), s.rows.data, s.rows.stride, picks, count, ahead, s.rows.dim,
                  out);
}

template <auto precise, class Q>
void negated_product(const PreciseScorer& s, const Row* picks, std::size_t count, std::size_t ahead,
                     double* out) noexcept {
  (kernels().*precise)
      .product(reinterpret_cast<const Q*>(s.query), s.rows.data, s.rows.stride, picks, count, ahead, s.rows.dim, out);
  for (std::size_t i = 0; i < count; ++i) out[i] = -out[i];
}

template <auto precise, class Q>
void cosine(const PreciseScorer& s, const Row* picks, std::size_t count, std::size_t ahead, double* out) noexcept {
  in_batches(picks, count, ahead, out,
             [&](const Row* batch_picks, std::size_t batch, std::size_t batch_ahead, double* distances) {
               double sums[16];
               (kernels().*precise)
                   .product_and_square(reinterpret_cast<const Q*>(s.query), s.rows.data, s.rows.stride, batch_picks,
                                       batch, batch_ahead, s.rows.dim, sums);
               for (std::size_t i = 0; i < batch; ++i) {
                 const double squares = s.squared_norm * sums[2 * i + 1];
                 distances[i] = squares > 0 ? std::clamp(1 - sums[2 * i] / std::sqrt(squares), 0.0, 2.0) : 1;
               }
             });
}

void hamming(const PreciseScorer& s, const Row* picks, std::size_t count, std::size_t ahead, double* out) noexcept {
  in_batches(picks, count, ahead, out, [&](const Row* batch_picks, std::size_t batch, std::size_t, double* distances) {
    float counts[8];
    kernels().hamming.gather(reinterpret_cast<const std::uint8_t*>(s.query), s.rows.data, s.rows.stride, batch_picks,
                             batch, s.rows.dim, counts);
    std::copy_n(counts, batch, distances);
  });
}

/// Uses the fast integer kernels, in pieces of the vectors that are short enough for exact float sums.
template <auto kernel, class Q>
void squared_l2_of_bytes(const PreciseScorer& s, const Row* picks, std::size_t count, std::size_t ahead,
                         double* out) noexcept {
  in_batches(picks, count, ahead, out,
             [&](const Row* batch_picks, std::size_t batch, std::size_t batch_ahead, double* distances) {
               for (std::size_t i = batch; i < batch + std::min<std::size_t>(batch_ahead, 8); ++i)
                 s.prefetch(batch_picks[i]);
               std::fill_n(distances, batch, 0);
               for (std::size_t at = 0; at < s.rows.dim; at += exact_in_float) {
                 float sums[8];
                 (kernels().*kernel)
                     .gather(reinterpret_cast<const Q*>(s.query) + at, s.rows.data + at, s.rows.stride, batch_picks,
                             batch, std::min(exact_in_float, s.rows.dim - at), sums);
                 for (std::size_t i = 0; i < batch; ++i) distances[i] += double{sums[i]};
               }
             });
}

template <auto precise, class Q>
Gather gather_in_double(Metric metric) {
  if (metric == Metric::cosine) return cosine<precise, Q>;
  return metric == Metric::l2 ? squared_l2<precise, Q> : negated_product<precise, Q>;
}

template <auto precise, class X>
double squared_norm_of(const std::byte* row, std::size_t dim) {
  constexpr Row first = 0;
  double square;
  const auto* const x = reinterpret_cast<const X*>(row);
  if constexpr (std::is_same_v<X, Half>)
    (kernels().*precise)(x, row, 0, &first, 1, 0, dim, &square);
  else
    (kernels().*precise).product(x, row, 0, &first, 1, 0, dim, &square);
  return square;
}

Gather gather_of(Metric metric, Element query, Element row) {
  if (metric == Metric::hamming) return hamming;
  if (query == Element::u8 && metric == Metric::l2) return squared_l2_of_bytes<&T::squared_l2_u8, std::uint8_t>;
  if (query == Element::s8 && metric == Metric::l2) return squared_l2_of_bytes<&T::squared_l2_s8, std::int8_t>;
  if (query == Element::u8) return gather_in_double<&T::precise_u8, std::uint8_t>(metric);
  if (query == Element::s8) return gather_in_double<&T::precise_s8, std::int8_t>(metric);
  if (row == Element::f16) return gather_in_double<&T::precise_f16, float>(metric);
  if (row == Element::u8) return gather_in_double<&T::precise_f32_u8, float>(metric);
  if (row == Element::s8) return gather_in_double<&T::precise_f32_s8, float>(metric);
  return gather_in_double<&T::precise_f32, float>(metric);
}

template <class Q>
constexpr Element element_of() {
  if (std::is_same_v<Q, std::uint8_t>) return Element::u8;
  return std::is_same_v<Q, std::int8_t> ? Element::s8 : Element::f32;
}

}  // namespace

double precise_squared_norm(const std::byte* row, Element element, std::size_t dim) {
  switch (element) {
    case Element::f32: return squared_norm_of<&T::precise_f32, float>(row, dim);
    case Element::f16: return squared_norm_of<&T::precise_product_halves, Half>(row, dim);
    case Element::u8: return squared_norm_of<&T::precise_u8, std::uint8_t>(row, dim);
    case Element::s8: return squared_norm_of<&T::precise_s8, std::int8_t>(row, dim);
    case Element::bits: break;
  }
  return 0;
}

PreciseScorer precise_scorer(Metric metric, const std::byte* query, Element element, double squared_norm,
                             const VectorsView& rows) {
  return {gather_of(metric, element, rows.element), query, squared_norm, rows};
}

template <class Q>
double precise_distance(Metric metric, const Q* query, const std::byte* row, Element element, std::size_t dim) {
  const auto* const bytes = reinterpret_cast<const std::byte*>(query);
  const double squared_norm = metric == Metric::cosine ? precise_squared_norm(bytes, element_of<Q>(), dim) : 0;
  return precise_scorer(metric, bytes, element_of<Q>(), squared_norm, {row, element, 1, dim, 0}).distance(0);
}

template double precise_distance(Metric, const float*, const std::byte*, Element, std::size_t);
template double precise_distance(Metric, const std::uint8_t*, const std::byte*, Element, std::size_t);
template double precise_distance(Metric, const std::int8_t*, const std::byte*, Element, std::size_t);

}  // namespace lookalike
