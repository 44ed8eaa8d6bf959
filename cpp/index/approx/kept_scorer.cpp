#include "index/approx/kept_scorer.hpp"

#include "exact/parts.hpp"

namespace lookalike {

KeptScorer kept_scorer(const MetricSpace& space, const std::byte* query, Element element, double square) {
  KeptScorer scorer = {precise_scorer(space.metric, query, element, square, space.rows),
                       space.from_query(query, element, square)};
  scorer.is_measurable = space.can_measure(square);
  const bool sums_round = element == Element::f32;
  const double error = sums_round ? double{summation_error(space.rows.dim)} : double{integer_error};
  scorer.relative = 2 * error;
  // Products cancel, so their rounding is told by how long vectors are; rows may have come that are a little longer
  // than what the space knows.
  if (space.metric == Metric::cosine) scorer.absolute = 2 * error;
  if (space.metric == Metric::ip && sums_round) scorer.absolute = 1.1 * error * std::sqrt(square) * space.length;
  if (sums_round) scorer.absolute += double{underflow(space.rows.dim)};
  return scorer;
}

}  // namespace lookalike
