#include "topk/candidates.hpp"

#include <algorithm>
#include <cmath>

namespace lookalike {

float kth_upper_bound(std::span<Candidate> candidates, std::size_t k, const Slack& slack) noexcept {
  if (candidates.size() < k) return infinity;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(k - 1), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.key < b.key; });
  double limit = -infinity;
  for (const Candidate& candidate : candidates.first(k)) {
    if (!std::isfinite(candidate.key)) return infinity;
    const double exact = candidate.key + std::abs(static_cast<double>(candidate.key)) * slack.relative +
                         (slack.rows ? 2.0 * slack.rows[candidate.row] * slack.row_unit : 0.0) + slack.query;
    limit = std::max(limit, exact);
  }
  // Other rows' keys exceed their exact distance by at most this much. Rounding must not lower the limit.
  limit += std::abs(limit) * slack.relative + slack.query;
  return std::nextafter(static_cast<float>(limit), infinity);
}

void CandidatePool::tighten(const Slack& slack) noexcept {
  const std::span<Candidate> all = candidates();
  limit_ = std::min(limit_, kth_upper_bound(all, k_, slack));
  const auto kept = std::partition(all.begin(), all.end(), [&](const Candidate& c) { return !(c.key > limit_); });
  count_ = static_cast<std::size_t>(kept - all.begin());
}

}  // namespace lookalike
