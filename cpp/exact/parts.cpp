#include "exact/parts.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

/// Squares of bytes' differences sum to less than 2^31, as the integer kernels need.
constexpr std::size_t largest_integer_dim = 33025;

/// A vector of any number type as floats.
void to_floats(const std::byte* vector, Element element, std::size_t dim, float* out) {
  switch (element) {
    case Element::f32: std::memcpy(out, vector, dim * sizeof(float)); break;
    case Element::f16: kernels().widen(reinterpret_cast<const Half*>(vector), dim, out); break;
    case Element::u8: std::copy_n(reinterpret_cast<const std::uint8_t*>(vector), dim, out); break;
    case Element::s8: std::copy_n(reinterpret_cast<const std::int8_t*>(vector), dim, out); break;
    case Element::bits: break;
  }
}

/// Narrows floats to bytes; false where one of them is no such integer.
template <class Byte>
bool to_bytes(const float* values, std::size_t dim, std::byte* out) {
  constexpr float low = std::numeric_limits<Byte>::min(), high = std::numeric_limits<Byte>::max();
  auto* const bytes = reinterpret_cast<Byte*>(out);
  std::int32_t misfits = 0;  // counted, not asked: so that the loop runs on registers
  for (std::size_t i = 0; i < dim; ++i) {
    const float clamped = std::min(std::max(values[i], low), high);
    const auto rounded = static_cast<std::int32_t>(clamped);
    bytes[i] = static_cast<Byte>(rounded);
    misfits += static_cast<float>(rounded) != values[i];
  }
  return misfits == 0;
}

}  // namespace

PreparedQueries::PreparedQueries(const VectorsView& queries, Element rows, Metric metric, unsigned threads)
    : view_(queries) {
  if (metric == Metric::hamming) return;
  const std::size_t dim = queries.dim;
  const bool byte_rows = rows == Element::u8 || rows == Element::s8;
  const bool integers = byte_rows && dim <= largest_integer_dim;
  if (queries.element == rows && (integers || rows == Element::f32)) return;
  if (queries.element == Element::f32 && !integers) return;

  const auto for_each_query = [&](auto use) {
    constexpr std::size_t chunk = 64;
    parallel_for((queries.count + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
      for (std::size_t i = task * chunk; i < std::min(queries.count, (task + 1) * chunk); ++i) use(i);
    });
  };
  // Everything goes through float; integers try to come back as the rows' own type.
  VectorsView floats = queries;
  Array<std::byte> widened;
  if (queries.element != Element::f32) {
    widened.resize_for_overwrite(queries.count * dim * sizeof(float));
    auto* const values = reinterpret_cast<float*>(widened.mutable_data());
    for_each_query([&](std::size_t i) { to_floats(queries.row(i), queries.element, dim, values + i * dim); });
    floats = {widened.data(), Element::f32, queries.count, dim, dim * sizeof(float)};
  }
  if (integers) {
    Array<std::byte> bytes;
    bytes.resize_for_overwrite(queries.count * dim);
    std::byte* const out = bytes.mutable_data();
    std::atomic<bool> fits = true;
    for_each_query([&](std::size_t i) {
      if (!fits.load(std::memory_order_relaxed)) return;
      const auto* const values = reinterpret_cast<const float*>(floats.row(i));
      const bool is_integer = rows == Element::u8 ? to_bytes<std::uint8_t>(values, dim, out + i * dim)
                                                  : to_bytes<std::int8_t>(values, dim, out + i * dim);
      if (!is_integer) fits.store(false, std::memory_order_relaxed);
    });
    if (fits) {
      converted_ = std::move(bytes);
      view_ = {converted_.data(), rows, queries.count, dim, dim};
      return;
    }
  }
  converted_ = std::move(widened);
  view_ = floats;
}

PreciseScorer PreparedQueries::scorer(std::size_t i, const ExactTarget& target) const {
  return precise_scorer(target.metric, query(i), element(), target.metric == Metric::cosine ? square(i) : 0,
                        target.rows);
}

void PreparedQueries::as_floats(std::size_t i, float* out) const { to_floats(query(i), element(), dim(), out); }

float summation_error(std::size_t dim) { return 1.05f * static_cast<float>(dim + 16) * 0x1p-24f; }

void exact_argmin(CandidatePool pool, const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                  std::size_t k, std::vector<Measured>& scratch) {
  const std::span<Candidate> held = pool.held();
  const PreciseScorer scorer = queries.scorer(query, target);
  scratch.clear();
  for (std::size_t i = 0; i < held.size(); ++i) scratch.push_back({scorer.distance(held[i].row), static_cast<Row>(i)});
  const auto nearer = [&](const Measured& a, const Measured& b) {
    return a.distance < b.distance || (a.distance == b.distance && held[a.row].row < held[b.row].row);
  };
  const std::size_t kept = std::min(k, scratch.size());
  std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(kept - 1), scratch.end(), nearer);
  // Their places, ascending, so that none is overwritten before it has moved.
  std::sort(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(kept),
            [](const Measured& a, const Measured& b) { return a.row < b.row; });
  for (std::size_t i = 0; i < kept; ++i) held[i] = held[scratch[i].row];
  pool.keep_first_k();
}

void finish(std::span<Candidate> candidates, const Slack& slack, const ExactTarget& target,
            const PreparedQueries& queries, std::size_t query, std::span<Neighbor> out,
            std::vector<Measured>& scratch) {
  const float limit = limit_of(candidates, out.size(), slack);
  const PreciseScorer scorer = queries.scorer(query, target);
  scratch.clear();
  for (const Candidate& candidate : candidates)
    if (!(candidate.key > limit)) scratch.push_back({scorer.distance(candidate.row), candidate.row});
  const std::size_t found = std::min(out.size(), scratch.size());
  std::partial_sort(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(found), scratch.end());
  for (std::size_t i = 0; i < found; ++i) out[i] = {scratch[i].row, static_cast<float>(scratch[i].distance)};
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(found), out.end(), Neighbor{});
}

std::size_t queries_together(std::size_t k, unsigned threads) {
  constexpr std::size_t held_bytes = std::size_t{256} << 20, most = 2048, fewest = 48;
  const std::size_t each = CandidatePool::capacity_for(k) * sizeof(Candidate) * std::max(threads, 1u);
  return std::clamp(held_bytes / each, fewest, most);
}

std::size_t finished_together(std::size_t k) { return std::clamp<std::size_t>(4096 / k, 1, 16); }

std::vector<Row> admitted_rows(const ExactTarget& target) {
  std::vector<Row> rows;
  if (!target.admitted) return rows;
  rows.reserve(target.admitted->count());
  const auto words = target.admitted->words();
  for (std::size_t w = 0; w < words.size(); ++w)
    for (std::uint64_t word = words[w]; word; word &= word - 1)
      rows.push_back(static_cast<Row>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
  return rows;
}

}  // namespace lookalike
