#include "index/approx/rerank_scorer.hpp"

#include "exact/parts.hpp"

namespace lookalike {

RerankScorer rerank_scorer(const MetricSpace& space, const std::byte* query, Element element, double square) {
  RerankScorer scorer = {precise_scorer(space.metric, query, element, square, space.rows),
                         space.query_scorer(query, element, square)};
  scorer.is_measurable = space.can_measure_query(square);
  const bool sums_round = element == Element::f32;
  const double error = sums_round ? double{summation_error(space.rows.dim)} : double{integer_error};
  scorer.relative_error = 2 * error;
  // The terms of a dot product cancel, so its rounding error depends on the norms of the vectors. New rows may be
  // slightly longer than the norm that the space stores.
  if (space.metric == Metric::cosine) scorer.absolute_error = 2 * error;
  if (space.metric == Metric::ip && sums_round)
    scorer.absolute_error = 1.1 * error * std::sqrt(square) * space.augmented_norm;
  if (sums_round) scorer.absolute_error += double{underflow(space.rows.dim)};
  return scorer;
}

}  // namespace lookalike
