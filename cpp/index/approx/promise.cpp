#include "index/approx/promise.hpp"

#include <algorithm>
#include <cmath>

#include "base/errors.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

std::size_t Promise::effort_for(std::uint64_t current_rows, std::size_t min_effort, double exponent) const noexcept {
  if (effort <= min_effort || is_exact() || current_rows <= rows) return effort;
  const double growth = static_cast<double>(current_rows) / static_cast<double>(std::max<std::uint64_t>(rows, 1));
  return std::min(static_cast<std::size_t>(std::ceil(effort * std::pow(growth, exponent))),
                  exact_effort - std::size_t{1});
}

std::size_t Promise::queries_to_measure(std::uint64_t current_rows, std::size_t changes_per_query,
                                        std::size_t min_queries, std::size_t max_queries) const noexcept {
  return std::clamp<std::size_t>(std::min(changed, current_rows) / changes_per_query, min_queries, max_queries);
}

void Promise::save(FileWriter& file) const {
  if (effort == 0 && !is_requested) return;
  file.value<float>("promise_target", target);
  file.value<std::uint8_t>("promise_is_asked", is_requested);
  file.value<std::uint32_t>("promise_effort", effort);
  file.value<float>("promise_recall", recall);
  file.value<std::uint32_t>("promise_queries", queries);
  file.value<std::uint64_t>("promise_rows", rows);
  file.value<std::uint64_t>("promise_changed", changed);
}

Promise Promise::load(const FileReader& file) {
  Promise promise;
  if (!file.contains("promise_target")) return promise;
  promise.target = file.value<float>("promise_target");
  promise.is_requested = file.value<std::uint8_t>("promise_is_asked") != 0;
  promise.effort = file.value<std::uint32_t>("promise_effort");
  promise.recall = file.value<float>("promise_recall");
  promise.queries = file.value<std::uint32_t>("promise_queries");
  promise.rows = file.value<std::uint64_t>("promise_rows");
  promise.changed = file.value<std::uint64_t>("promise_changed");
  const bool is_recall = promise.target > 0 && promise.target <= 1 && promise.recall >= 0 && promise.recall <= 1;
  if (!is_recall || promise.effort > exact_effort || promise.rows > max_rows ||
      promise.changed > std::uint64_t{1} << 62)
    throw CorruptFile("sections 'promise_...' hold values out of range");
  return promise;
}

Promise tune_promise(const RecallEvaluator& evaluator, const Promise& before, const PromiseSearch& search) {
  Promise next = before;
  next.changed = 0;
  next.rows = evaluator.rows();
  next.queries = static_cast<std::uint32_t>(evaluator.count());
  for (std::size_t effort = std::min(search.min_effort, search.max_effort);;) {
    const auto hits = evaluator.recall(effort, search.threads);
    next.effort = static_cast<std::uint32_t>(effort);
    next.recall = hits.recall();
    if (hits.is_exact) next.effort = exact_effort;
    const bool suffices = hits.recall() - hits.standard_error() >= search.min_recall &&
                          evaluator.has_full_self_recall(effort, search.threads);
    if (hits.is_exact || suffices) return next;
    if (effort >= search.max_effort) break;
    const bool is_far = next.recall < next.target - 0.1f;
    effort = std::min(search.max_effort,
                      effort + (is_far ? effort : (effort + search.growth_steps - 1) / search.growth_steps));
  }
  next.effort = exact_effort;
  next.recall = 1;
  return next;
}

}  // namespace lookalike
