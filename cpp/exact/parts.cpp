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

/// Up to this dim, sums of squared differences of bytes stay below 2^31, as the integer kernels require.
constexpr std::size_t max_exact_sum_dim = 33025;

/// Converts a vector of any number type to floats.
void to_floats(const std::byte* vector, Element element, std::size_t dim, float* out) {
  switch (element) {
    case Element::f32: std::memcpy(out, vector, dim * sizeof(float)); break;
    case Element::f16: kernels().widen(reinterpret_cast<const Half*>(vector), dim, out); break;
    case Element::u8: std::copy_n(reinterpret_cast<const std::uint8_t*>(vector), dim, out); break;
    case Element::s8: std::copy_n(reinterpret_cast<const std::int8_t*>(vector), dim, out); break;
    case Element::bits: break;
  }
}

/// Converts floats to bytes. Returns false if one of them is not an integer of that type.
template <class Byte>
bool to_bytes(const float* values, std::size_t dim, std::byte* out) {
  constexpr float min = std::numeric_limits<Byte>::min(), max = std::numeric_limits<Byte>::max();
  auto* const bytes = reinterpret_cast<Byte*>(out);
  std::int32_t mismatches = 0;  // counted instead of returning early, so that the loop vectorizes
  for (std::size_t i = 0; i < dim; ++i) {
    const float clamped = std::min(std::max(values[i], min), max);
    const auto rounded = static_cast<std::int32_t>(clamped);
    bytes[i] = static_cast<Byte>(rounded);
    mismatches += static_cast<float>(rounded) != values[i];
  }
  return mismatches == 0;
}

}  // namespace

PreparedQueries::PreparedQueries(const VectorsView& queries, Element rows, Metric metric, unsigned threads)
    : view_(queries) {
  if (metric == Metric::hamming) return;
  const std::size_t dim = queries.dim;
  const bool has_byte_rows = rows == Element::u8 || rows == Element::s8;
  const bool uses_integer_kernels = has_byte_rows && dim <= max_exact_sum_dim;
  if (queries.element == rows && (uses_integer_kernels || rows == Element::f32)) return;
  if (queries.element == Element::f32 && !uses_integer_kernels) return;

  const auto for_each_query = [&](auto use) {
    constexpr std::size_t chunk = 64;
    parallel_for((queries.count + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
      for (std::size_t i = task * chunk; i < std::min(queries.count, (task + 1) * chunk); ++i) use(i);
    });
  };
  // All queries are converted to float first. For integer rows they are then converted to the rows' type if all fit.
  VectorsView floats = queries;
  Array<std::byte> widened;
  if (queries.element != Element::f32) {
    widened.resize_for_overwrite(queries.count * dim * sizeof(float));
    auto* const values = reinterpret_cast<float*>(widened.mutable_data());
    for_each_query([&](std::size_t i) { to_floats(queries.row(i), queries.element, dim, values + i * dim); });
    floats = {widened.data(), Element::f32, queries.count, dim, dim * sizeof(float)};
  }
  if (uses_integer_kernels) {
    Array<std::byte> bytes;
    bytes.resize_for_overwrite(queries.count * dim);
    std::byte* const out = bytes.mutable_data();
    std::atomic<bool> all_fit = true;
    for_each_query([&](std::size_t i) {
      if (!all_fit.load(std::memory_order_relaxed)) return;
      const auto* const values = reinterpret_cast<const float*>(floats.row(i));
      const bool is_integer = rows == Element::u8 ? to_bytes<std::uint8_t>(values, dim, out + i * dim)
                                                  : to_bytes<std::int8_t>(values, dim, out + i * dim);
      if (!is_integer) all_fit.store(false, std::memory_order_relaxed);
    });
    if (all_fit) {
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

void keep_k_nearest(CandidatePool pool, const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                    std::size_t k, std::vector<PreciseNeighbor>& scratch) {
  const std::span<Candidate> candidates = pool.candidates();
  const PreciseScorer scorer = queries.scorer(query, target);
  scratch.clear();
  // Here the `row` of a PreciseNeighbor is a position in `candidates`.
  for (std::size_t i = 0; i < candidates.size(); ++i)
    scratch.push_back({scorer.distance(candidates[i].row), static_cast<Row>(i)});
  const auto nearer = [&](const PreciseNeighbor& a, const PreciseNeighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && candidates[a.row].row < candidates[b.row].row);
  };
  const std::size_t count = std::min(k, scratch.size());
  std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(count - 1), scratch.end(), nearer);
  // Moves candidates in ascending order of their positions, so that none is overwritten before it has moved.
  std::sort(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(count),
            [](const PreciseNeighbor& a, const PreciseNeighbor& b) { return a.row < b.row; });
  for (std::size_t i = 0; i < count; ++i) candidates[i] = candidates[scratch[i].row];
  pool.keep_first_k();
}

void write_k_nearest(std::span<Candidate> candidates, const Slack& slack, const ExactTarget& target,
                     const PreparedQueries& queries, std::size_t query, std::span<Neighbor> out,
                     std::vector<PreciseNeighbor>& scratch) {
  const float limit = kth_upper_bound(candidates, out.size(), slack);
  const PreciseScorer scorer = queries.scorer(query, target);
  scratch.clear();
  for (const Candidate& candidate : candidates)
    if (!(candidate.key > limit)) scratch.push_back({scorer.distance(candidate.row), candidate.row});
  const std::size_t found = std::min(out.size(), scratch.size());
  std::partial_sort(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(found), scratch.end());
  for (std::size_t i = 0; i < found; ++i) out[i] = {scratch[i].row, static_cast<float>(scratch[i].distance)};
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(found), out.end(), Neighbor{});
}

std::size_t queries_per_run(std::size_t k, unsigned threads) {
  constexpr std::size_t max_bytes = std::size_t{256} << 20, max_queries = 2048, min_queries = 48;
  const std::size_t bytes_per_query = CandidatePool::capacity_for(k) * sizeof(Candidate) * std::max(threads, 1u);
  return std::clamp(max_bytes / bytes_per_query, min_queries, max_queries);
}

std::size_t queries_per_task(std::size_t k) { return std::clamp<std::size_t>(4096 / k, 1, 16); }

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
