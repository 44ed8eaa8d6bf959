#include "exact/exact_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "exact/parts.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// A tile computes a whole panel of queries. For fewer queries one scan per query is faster.
constexpr std::size_t min_tile_queries = 4;
constexpr std::size_t max_tile_dim = 16384;

}  // namespace

void exact_search(const ExactTarget& target, const VectorsView& queries, std::size_t k, unsigned threads,
                  std::span<Neighbor> out) {
  const std::vector<Row> subset = admitted_rows(target);
  const std::size_t rows = target.admitted ? subset.size() : target.rows.count;
  if (rows == 0 || k == 0 || queries.count == 0) {
    std::fill(out.begin(), out.end(), Neighbor{});
    return;
  }
  const PreparedQueries prepared(queries, target.rows.element, target.metric, threads);
  // Lower bounds rule out most rows, but reading the codes of all rows must pay off.
  if (target.bounds && rows > target.rows.count / 4 && rows > 64 * k)
    return bounded_search(target, prepared, subset, k, threads, out);
  const bool tiles = target.metric != Metric::hamming && queries.count >= min_tile_queries &&
                     target.rows.dim <= max_tile_dim && rows > 4 * k;
  (tiles ? tile_search : scan_search)(target, prepared, subset, k, threads, out);
}

double largest_norm(const VectorsView& rows) {
  double largest = 0;
  for (std::size_t i = 0; i < rows.count; ++i)
    largest = std::max(largest, precise_squared_norm(rows.row(i), rows.element, rows.dim));
  return std::sqrt(largest) * (1 + 1e-12);
}

void inverse_norms(const VectorsView& rows, float* out) {
  constexpr std::size_t chunk = 1024;
  parallel_for((rows.count + chunk - 1) / chunk, 0, [&](std::size_t task, unsigned) {
    const std::size_t end = std::min(rows.count, (task + 1) * chunk);
    for (std::size_t i = task * chunk; i < end; ++i) {
      const double square = precise_squared_norm(rows.row(i), rows.element, rows.dim);
      out[i] = square > 0 ? static_cast<float>(1 / std::sqrt(square)) : 0;
    }
  });
}

}  // namespace lookalike
