// How an IVF index keeps its promise of recall as rows change.
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

void Ivf::keep_promise(Records::Writing& writing, std::size_t changed, unsigned threads) {
  writing.exclusively([&](Rows&) noexcept { tuning_.promise.changed += changed; });
  if (settings_.forgets_vectors() || !has_lists_for(*writing)) return;
  // Rows that lists were just learned from fare better than those that come.
  const Promise& promise = tuning_.promise;
  const bool was_fresh = promise.rows <= lists_.trained_over && 8 * promise.changed >= promise.rows;
  if (!promise.is_due() && !was_fresh) return;
  try {
    // What is there is there: whatever ends this, lists and promise stay as they are until the next change.
    Tuning next;
    next.usual = tuning_.usual;
    next.promise = measured_promise(threads);
    if (next.promise.effort > usual_nprobe && lists_.listed_since >= lists_.trained_over && lists_.listed_since > 0) {
      const InterruptsHeld held;
      learn(writing, writing->largest_norm(), threads);
      next.promise = measured_promise(threads);
    }
    writing.exclusively([&](Rows&) noexcept { std::swap(tuning_, next); });
  } catch (const std::bad_alloc&) {
  }
}

Promise Ivf::measured_promise(unsigned threads) const {
  // Few queries where rows are long: finding their true neighbours takes some hundredths of the time that learning
  // does.
  constexpr std::size_t bytes = 90000, fewest = 24, most = 128, changes_each = 128;
  constexpr std::size_t least_requested = 4, quarters = 4;
  const std::size_t stride = records_.read()->store().view().stride;
  const Promise& before = tuning_.promise;
  const std::size_t longest = bytes / std::max<std::size_t>(stride, 1);
  const std::size_t queries =
      before.queries_due(records_.size(), changes_each, fewest, std::clamp(longest, 2 * fewest, most));
  // Rows have drawn the centroids of their own lists to themselves.
  constexpr float margin = 0.3f;
  const float wanted = before.target + margin * (1 - before.target);
  // What was added is there already: Ctrl-C waits the moment that this takes.
  const InterruptsHeld held;
  const RecallEvaluator evaluator(evaluated(), queries, promised_neighbors, settings_.seed, threads);
  const std::size_t least =
      probes_that_hold(evaluator, wanted, before.is_requested ? least_requested : usual_nprobe, threads);
  return measured(evaluator, before, {least, lists_.lists.size(), wanted, quarters, threads});
}

std::size_t Ivf::probes_that_hold(const RecallEvaluator& evaluator, float wanted, std::size_t least,
                                  unsigned threads) const {
  const Records::Reading rows = records_.read();
  const std::size_t lists = lists_.lists.size(), count = evaluator.count();
  if (lists <= least || count == 0 || evaluator.truth(0).empty()) return least;
  std::vector<std::uint32_t> list_of(rows->count());
  for (std::size_t i = 0; i < lists; ++i)
    for (const Row row : lists_.lists[i].rows) list_of[row] = static_cast<std::uint32_t>(i);

  const PreparedQueries prepared(evaluator.queries(), rows->store().element(), rows->metric(), threads);
  const IvfTarget target = {lists_, lists_.space(*rows), rows->ids().live(), nullptr};
  const std::size_t k = evaluator.truth(0).size();
  std::vector<std::uint32_t> places(count * k);  // of the list of each true neighbour among those near the query
  parallel_for(count, threads, [&](std::size_t q, unsigned) {
    std::vector<std::uint32_t> place_of(lists);
    workers_.take()->rank_lists(target, prepared, q, place_of);
    for (std::size_t i = 0; i < k; ++i) places[q * k + i] = place_of[list_of[evaluator.truth(q)[i].row]];
  });
  const auto hits_of = [&](std::size_t nprobe) {
    RecallEvaluator::Hits hits = {0, count * k, count, 0, false};
    for (std::size_t q = 0; q < count; ++q) {
      const auto of_query = std::span(places).subspan(q * k, k);
      const auto found = static_cast<std::size_t>(
          std::count_if(of_query.begin(), of_query.end(), [&](std::uint32_t place) { return place < nprobe; }));
      hits.found += found;
      hits.squares += static_cast<double>(found * found) / static_cast<double>(k * k);
    }
    return hits;
  };
  std::size_t nprobe = least;
  for (; nprobe < lists; nprobe += (nprobe + 15) / 16) {
    const RecallEvaluator::Hits hits = hits_of(nprobe);
    if (hits.share() - hits.error() >= wanted) break;
  }
  return std::min(nprobe, lists);
}

}  // namespace lookalike
