// What the two ways of searching exactly (a scan for few queries, tiles for many) share.
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

/// Queries in the form their kernels take: the rows' own integer type where every query fits it and sums fit the
/// integer kernels, else float.
class PreparedQueries {
 public:
  /// Borrows `queries` where they need no change.
  PreparedQueries(const VectorsView& queries, Element rows, Metric metric, unsigned threads);

  std::size_t count() const noexcept { return view_.count; }
  std::size_t dim() const noexcept { return view_.dim; }
  /// f32, u8, s8 or bits.
  Element element() const noexcept { return view_.element; }
  const std::byte* query(std::size_t i) const noexcept { return view_.row(i); }
  double square(std::size_t i) const { return precise_square(query(i), element(), dim()); }

  /// True distances from the query.
  PreciseScorer scorer(std::size_t i, const ExactTarget& target) const;
  /// The query as floats, dim() of them.
  void as_floats(std::size_t i, float* out) const;

 private:
  VectorsView view_;
  Array<std::byte> converted_;
};

/// Rounding of a sum of `dim` float products, relative to the product of the norms: the worst case, dim * 2^-24
/// [Higham, Accuracy and Stability of Numerical Algorithms, section 3.1], with room for what surrounds the sum.
float summation_error(std::size_t dim);
/// What products too small for a normal float may take from a sum of `dim` of them.
inline float underflow(std::size_t dim) { return static_cast<float>(dim) * std::numeric_limits<float>::min(); }
/// What integers lose on their way into a float key: a few roundings.
inline constexpr float integer_error = 4 * 0x1p-24f;

/// When a pool stays full of near-ties, measures them all and keeps the k nearest.
void exact_argmin(CandidatePool pool, const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                  std::size_t k, std::vector<Measured>& scratch);

/// The k nearest of `candidates`, which lie at or below the limit their own keys allow; pads with {no_row, inf}.
void finish(std::span<Candidate> candidates, const Slack& slack, const ExactTarget& target,
            const PreparedQueries& queries, std::size_t query, std::span<Neighbor> out, std::vector<Measured>& scratch);

/// How many queries to search for in one run over the rows, so that what the threads hold of candidates stays bounded.
std::size_t queries_together(std::size_t k, unsigned threads);
/// How many queries a thread finishes in a row before it can hear that the search was interrupted.
std::size_t finished_together(std::size_t k);

/// The rows a filter admits, ascending; empty and meaningless without a filter.
std::vector<Row> admitted_rows(const ExactTarget& target);

/// One query block by a scan over all rows, into `out` (queries.count() x k).
void scan_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t k,
                 unsigned threads, std::span<Neighbor> out);
/// The same by tiles of a matrix product. Not for Metric::hamming.
void tile_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t k,
                 unsigned threads, std::span<Neighbor> out);

/// The same for l2 and cosine, measuring only what the target's sketch cannot rule out.
void bounded_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks,
                    std::size_t k, unsigned threads, std::span<Neighbor> out);

}  // namespace lookalike
