#include "indexes/kept_scorer.hpp"

#include "indexes/exact_parts.hpp"

namespace lookalike {

KeptScorer kept_scorer(const Plane& plane, const std::byte* query, Element element, double square) {
  KeptScorer scorer = {precise_scorer(plane.metric, query, element, square, plane.rows),
                       plane.from_query(query, element, square)};
  scorer.is_measurable = plane.can_measure(square);
  const bool sums_round = element == Element::f32;
  const double error = sums_round ? double{summation_error(plane.rows.dim)} : double{integer_error};
  scorer.relative = 2 * error;
  // Products cancel, so their rounding is told by how long vectors are; rows may have come that are a little longer
  // than what the plane knows.
  if (plane.metric == Metric::cosine) scorer.absolute = 2 * error;
  if (plane.metric == Metric::ip && sums_round) scorer.absolute = 1.1 * error * std::sqrt(square) * plane.length;
  if (sums_round) scorer.absolute += double{underflow(plane.rows.dim)};
  return scorer;
}

}  // namespace lookalike
