// How an IVF index keeps its recall promise as rows change.
#include <algorithm>
#include <cmath>
#include <new>
#include <utility>
#include <vector>

#include "index/approx/recall_evaluator.hpp"
#include "index/ivf/ivf.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {

void Ivf::keep_promise(Records::Writer& writer, std::size_t changed, unsigned threads) {
  writer.exclusively([&](Rows&) noexcept { tuning_.promise.changed += changed; });
  if (settings_.keeps_only_codes() || !has_lists_for(*writer)) return;
  // Recall measured on the training rows overestimates that on later rows, so it is measured again earlier.
  const Promise& promise = tuning_.promise;
  const bool is_optimistic = promise.rows <= lists_.trained_rows && 8 * promise.changed >= promise.rows;
  if (!promise.is_due() && !is_optimistic) return;
  try {
    // The rows are stored already. If this runs out of memory, lists and promise stay as they are until the next
    // change.
    Tuning next;
    next.min_effort = tuning_.min_effort;
    next.promise = measured_promise(threads);
    if (next.promise.effort > default_nprobe && lists_.listed_since_training >= lists_.trained_rows &&
        lists_.listed_since_training > 0) {
      const InterruptsDisabled no_interrupts;
      train(writer, writer->largest_norm(), threads);
      next.promise = measured_promise(threads);
    }
    writer.exclusively([&](Rows&) noexcept { std::swap(tuning_, next); });
  } catch (const std::bad_alloc&) {
  }
}

Promise Ivf::measured_promise(unsigned threads) const {
  // The number of queries falls with the size of rows, so that computing the ground truth takes a few percent of the
  // training time.
  constexpr std::size_t query_bytes = 90000, min_queries = 64, max_queries = 128, changes_per_query = 64;
  constexpr std::size_t min_nprobe_if_requested = 4, growth_steps = 4;
  const std::size_t stride = records_.read()->store().view().stride;
  const Promise& before = tuning_.promise;
  const std::size_t affordable_queries = query_bytes / std::max<std::size_t>(stride, 1);
  const std::size_t queries = before.queries_to_measure(records_.size(), changes_per_query, min_queries,
                                                        std::clamp(affordable_queries, min_queries, max_queries));
  // Stored rows have pulled centroids towards themselves, so their recall is higher than that of new queries.
  constexpr float margin = 0.3f;
  const float target_recall = before.target + margin * (1 - before.target);
  // The rows are added already, so Ctrl-C is deferred until the promise is measured.
  const InterruptsDisabled no_interrupts;
  const RecallEvaluator evaluator(evaluated(), queries, promised_k, settings_.seed, threads, 2 * queries);
  const std::size_t min_nprobe = nprobe_covering(
      evaluator, target_recall, before.is_requested ? min_nprobe_if_requested : default_nprobe, threads);
  return tune_promise(evaluator, before, {min_nprobe, lists_.lists.size(), target_recall, growth_steps, threads});
}

std::size_t Ivf::nprobe_covering(const RecallEvaluator& evaluator, float target_recall, std::size_t min_nprobe,
                                 unsigned threads) const {
  const Records::ReadLock rows = records_.read();
  const std::size_t lists = lists_.lists.size(), count = evaluator.count();
  if (lists <= min_nprobe || count == 0 || evaluator.truth(0).empty()) return min_nprobe;
  std::vector<std::uint32_t> list_of(rows->count());
  for (std::size_t i = 0; i < lists; ++i)
    for (const Row row : lists_.lists[i].rows) list_of[row] = static_cast<std::uint32_t>(i);

  const PreparedQueries prepared(evaluator.queries(), rows->store().element(), rows->metric(), threads);
  const IvfTarget target = {lists_, lists_.space(*rows), rows->ids().live(), nullptr};
  const std::size_t k = evaluator.truth(0).size();
  std::vector<std::uint32_t> ranks(count *
                                   k);  // for each true neighbour, the rank of its list by distance to the query
  parallel_for(count, threads, [&](std::size_t q, unsigned) {
    std::vector<std::uint32_t> rank_of(lists);
    workers_.take()->rank_lists(target, prepared, q, rank_of);
    for (std::size_t i = 0; i < k; ++i) ranks[q * k + i] = rank_of[list_of[evaluator.truth(q)[i].row]];
  });
  const auto hits_of = [&](std::size_t nprobe) {
    RecallEvaluator::Hits hits = {0, count * k, count, 0, false};
    for (std::size_t q = 0; q < count; ++q) {
      const auto ranks_of_query = std::span(ranks).subspan(q * k, k);
      const auto found = static_cast<std::size_t>(std::count_if(ranks_of_query.begin(), ranks_of_query.end(),
                                                                [&](std::uint32_t rank) { return rank < nprobe; }));
      hits.found += found;
      hits.squares += static_cast<double>(found * found) / static_cast<double>(k * k);
    }
    return hits;
  };
  std::size_t nprobe = min_nprobe;
  for (; nprobe < lists; nprobe += (nprobe + 15) / 16) {
    const RecallEvaluator::Hits hits = hits_of(nprobe);
    if (hits.recall() - hits.standard_error() >= target_recall) break;
  }
  return std::min(nprobe, lists);
}

}  // namespace lookalike
