#include "distance/metric_space.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels/precise.hpp"
#include "kernels/table.hpp"
#include "rows/values.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

using Gather = void (*)(const Scorer&, const Row*, std::size_t, float*) noexcept;

template <auto kernel, class Q>
void gather(const Scorer& s, const Row* picks, std::size_t count, float* out) noexcept {
  (kernels().*kernel).gather(static_cast<const Q*>(s.query), s.rows, s.stride, picks, count, s.dim, out);
}

/// Scales negated inner products to 1 - cosine; for a row scorer, to -2 * cosine, which lacks `offset`.
template <auto kernel, class Q>
void gather_scaled(const Scorer& s, const Row* picks, std::size_t count, float* out) noexcept {
  gather<kernel, Q>(s, picks, count, out);
  for (std::size_t i = 0; i < count; ++i) out[i] = s.shift + s.scale * out[i] * s.row_factors[picks[i]];
}

/// The integer kernels' sums could overflow for byte vectors of a higher dimension.
constexpr std::size_t max_integer_dim = 33025;

enum class Finish { none, scaled };

template <auto kernel, class Q>
Gather finished(Finish finish) {
  switch (finish) {
    case Finish::none: return gather<kernel, Q>;
    case Finish::scaled: return gather_scaled<kernel, Q>;
  }
  return nullptr;
}

using T = KernelTable;

Gather squared_l2(Element query, Element row, Finish finish) {
  if (query == Element::u8) return finished<&T::squared_l2_u8, std::uint8_t>(finish);
  if (query == Element::s8) return finished<&T::squared_l2_s8, std::int8_t>(finish);
  if (row == Element::f16) return finished<&T::squared_l2_f16, float>(finish);
  if (row == Element::u8) return finished<&T::squared_l2_f32_u8, float>(finish);
  if (row == Element::s8) return finished<&T::squared_l2_f32_s8, float>(finish);
  return finished<&T::squared_l2_f32, float>(finish);
}

Gather product(Element query, Element row, Finish finish) {
  if (query == Element::u8) return finished<&T::inner_product_u8, std::uint8_t>(finish);
  if (query == Element::s8) return finished<&T::inner_product_s8, std::int8_t>(finish);
  if (row == Element::f16) return finished<&T::inner_product_f16, float>(finish);
  if (row == Element::u8) return finished<&T::inner_product_f32_u8, float>(finish);
  if (row == Element::s8) return finished<&T::inner_product_f32_s8, float>(finish);
  return finished<&T::inner_product_f32, float>(finish);
}

}  // namespace

bool is_measurable(const VectorsView& rows, Metric metric, unsigned threads) {
  constexpr double max_norm = 1e18, min_norm = min_measurable_norm;
  if (rows.element != Element::f32) return true;
  constexpr std::size_t rows_per_task = 1024;
  std::atomic<bool> all = true;
  parallel_for((rows.count + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    for (std::size_t i = task * rows_per_task; i < std::min(rows.count, (task + 1) * rows_per_task); ++i) {
      const double square = precise_squared_norm(rows.row(i), rows.element, rows.dim);
      const bool is_too_short = metric == Metric::cosine && square > 0 && square < min_norm * min_norm;
      if (is_too_short || square > max_norm * max_norm) all = false;
    }
  });
  return all;
}

NormRange norm_range_of(const VectorsView& rows, Metric metric) {
  if (rows.element != Element::f32 || (metric != Metric::l2 && metric != Metric::ip)) return NormRange::measurable;
  NormRange found = NormRange::zero;
  for (std::size_t i = 0; i < rows.count; ++i) {
    const double square = precise_squared_norm(rows.row(i), rows.element, rows.dim);
    if (square >= double{min_measurable_norm} * min_measurable_norm) return NormRange::measurable;
    if (square > 0) found = NormRange::underflowing;
  }
  return found;
}

float augmentation_of(double square, float norm) {
  const double gap = double{norm} * norm - square;
  // sqrt(gap) - norm, without cancellation.
  return gap > 0 ? static_cast<float>(-square / (norm + std::sqrt(gap))) : -norm;
}

void write_bits(const std::byte* bytes, std::size_t count, float* out) {
  for (std::size_t i = 0; i < 8 * count; ++i)
    out[i] = static_cast<float>(static_cast<unsigned>(bytes[i / 8]) >> i % 8 & 1);
}

void MetricSpace::count_read(std::span<const Row> read) const {
  if (!scratch || read.empty()) return;
  const auto [first, last] = std::minmax_element(read.begin(), read.end());
  const std::size_t span_bytes = (std::size_t{*last} - *first + 1) * rows.stride;
  scratch->count_read(std::min(span_bytes, read.size() * (rows.stride + MappedFile::read_around_bytes)));
}

void MetricSpace::write_point(std::size_t row, float* out) const {
  if (overrides) return overrides->write(row, out);
  if (metric == Metric::hamming) return write_bits(rows.row(row), rows.dim, out);
  convert(rows.slice(row, 1), Element::f32, reinterpret_cast<std::byte*>(out));
  if (metric == Metric::cosine)
    for (std::size_t i = 0; i < rows.dim; ++i) out[i] *= inverse_norms[row];
  if (has_augmentations()) {
    out[rows.dim] = augmentations
                        ? augmentations[row]
                        : augmentation_of(precise_squared_norm(rows.row(row), rows.element, rows.dim), augmented_norm);
  }
}

float MetricSpace::distance_offset(std::size_t row, std::span<const float> point) const {
  if (const std::optional<float> offset = overrides ? overrides->distance_offset(row) : std::nullopt) return *offset;
  if (metric == Metric::cosine) return std::all_of(point.begin(), point.end(), [](float x) { return x == 0; }) ? 1 : 0;
  if (!has_augmentations()) return 0;
  double square = 0;
  for (std::size_t d = 0; d < rows.dim; ++d) square += double{point[d]} * point[d];
  const double extra = double{point[rows.dim]} + augmented_norm,
               missing = double{augmented_norm} * augmented_norm - square - extra * extra;
  return std::fabs(missing) > 1e-3 * double{augmented_norm} * augmented_norm ? static_cast<float>(missing) : 0;
}

double MetricSpace::query_squared_norm(const std::byte* query, Element element) const {
  return metric == Metric::cosine || metric == Metric::ip ? precise_squared_norm(query, element, rows.dim) : 0;
}

void MetricSpace::write_query_point(const float* query, double square, float* out) const {
  float scale = 1;
  if (metric != Metric::l2) {
    const double norm = metric == Metric::ip ? augmented_norm : 1;
    scale = square > 0 ? static_cast<float>(norm / std::sqrt(square)) : 0;
  }
  for (std::size_t i = 0; i < rows.dim; ++i) out[i] = query[i] * scale;
  if (has_augmentations()) out[rows.dim] = -augmented_norm;
}

Scorer MetricSpace::query_scorer(const std::byte* query, Element element, double square) const {
  Scorer scorer;
  scorer.rows = rows.data;
  scorer.stride = rows.stride;
  scorer.dim = rows.dim;
  scorer.query = query;
  switch (metric) {
    case Metric::hamming: scorer.gather = gather<&T::hamming, std::uint8_t>; break;
    case Metric::l2: scorer.gather = squared_l2(element, rows.element, Finish::none); break;
    case Metric::ip: scorer.gather = product(element, rows.element, Finish::none); break;
    case Metric::cosine: {
      scorer.gather = product(element, rows.element, Finish::scaled);
      scorer.scale = square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0;
      scorer.shift = 1;
      scorer.row_factors = inverse_norms;
    }
  }
  return scorer;
}

Scorer MetricSpace::row_scorer(Row row, ScorerScratch& scorer_scratch) const {
  const std::byte* query = rows.row(row);
  Element element = rows.element;
  const bool is_integer = element == Element::u8 || element == Element::s8;
  if (element == Element::f16 || (is_integer && rows.dim > max_integer_dim)) {
    scorer_scratch.values.resize(rows.dim);
    convert(rows.slice(row, 1), Element::f32, reinterpret_cast<std::byte*>(scorer_scratch.values.data()));
    query = reinterpret_cast<const std::byte*>(scorer_scratch.values.data());
    element = Element::f32;
  }
  Scorer scorer = {nullptr, rows.data, rows.stride, rows.dim, query};
  switch (metric) {
    case Metric::hamming: scorer.gather = gather<&T::hamming, std::uint8_t>; break;
    case Metric::l2: scorer.gather = squared_l2(element, rows.element, Finish::none); break;
    case Metric::cosine:
      scorer.gather = product(element, rows.element, Finish::scaled);
      scorer.scale = 2 * inverse_norms[row];
      scorer.offset = 2;
      scorer.row_factors = inverse_norms;
      break;
    case Metric::ip: scorer.gather = product(element, rows.element, Finish::none);
  }
  return scorer;
}

}  // namespace lookalike
