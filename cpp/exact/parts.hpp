// Shared by the exact searches: prepared queries, error bounds of keys, and the exact re-measurement of candidates.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "exact/exact_search.hpp"
#include "kernels/precise.hpp"
#include "topk/candidates.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// Queries in the element that the kernels take: the rows' integer type if every query fits it and sums fit the integer
/// kernels, else float.
class PreparedQueries {
 public:
  /// Borrows `queries` if no conversion is needed.
  PreparedQueries(const VectorsView& queries, Element rows, Metric metric, unsigned threads);

  std::size_t count() const noexcept { return view_.count; }
  std::size_t dim() const noexcept { return view_.dim; }
  /// f32, u8, s8 or bits.
  Element element() const noexcept { return view_.element; }
  const std::byte* query(std::size_t i) const noexcept { return view_.row(i); }
  double square(std::size_t i) const { return precise_squared_norm(query(i), element(), dim()); }

  /// Exact distances from query i.
  PreciseScorer scorer(std::size_t i, const ExactTarget& target) const;
  /// Writes query i as dim() floats.
  void as_floats(std::size_t i, float* out) const;

 private:
  VectorsView view_;
  Array<std::byte> converted_;
};

/// Error bound of a sum of `dim` float products, relative to the product of the norms: the worst case dim * 2^-24
/// [Higham, Accuracy and Stability of Numerical Algorithms, section 3.1], with a margin for the operations around it.
float summation_error(std::size_t dim);
/// Error bound of a sum of `dim` products that underflow.
inline float underflow(std::size_t dim) { return static_cast<float>(dim) * std::numeric_limits<float>::min(); }
/// Relative error bound of an integer distance that was converted to a float key: a few roundings.
inline constexpr float integer_error = 4 * 0x1p-24f;

/// Computes the exact distances of all candidates and keeps the k nearest. For pools that near-ties keep full.
void keep_k_nearest(CandidatePool pool, const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                    std::size_t k, std::vector<PreciseNeighbor>& scratch);

/// Computes the exact distances of the candidates whose keys may still be among the k smallest, and writes the k
/// nearest to `out`, padded with {no_row, inf}. k is out.size().
void write_k_nearest(std::span<Candidate> candidates, const Slack& slack, const ExactTarget& target,
                     const PreparedQueries& queries, std::size_t query, std::span<Neighbor> out,
                     std::vector<PreciseNeighbor>& scratch);

/// The number of queries in one pass over the rows. Bounds the memory for the candidates of all threads.
std::size_t queries_per_run(std::size_t k, unsigned threads);
/// The number of queries that a thread finishes between two checks for interrupts.
std::size_t queries_per_task(std::size_t k);

/// The rows that the target's filter admits, ascending; empty if it has no filter.
std::vector<Row> admitted_rows(const ExactTarget& target);

// The searches below measure the rows of `subset`, or all rows if it is empty, and write queries.count() x k
// neighbours.

/// Scans the rows with the one-query kernels. For few queries, or any metric.
void scan_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t k,
                 unsigned threads, std::span<Neighbor> out);
/// Computes distances in tiles of a matrix product. For many queries; not for Metric::hamming.
void tile_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t k,
                 unsigned threads, std::span<Neighbor> out);

/// Measures only the rows that the target's lower bounds cannot rule out. For l2 and cosine.
void bounded_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset,
                    std::size_t k, unsigned threads, std::span<Neighbor> out);

}  // namespace lookalike
