#include "index/approx/recall_evaluator.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "base/errors.hpp"
#include "base/random.hpp"
#include "exact/exact_search.hpp"
#include "rows/values.hpp"

namespace lookalike {

RecallEvaluator::RecallEvaluator(EvaluatedIndex index, const VectorsView& queries, std::size_t k, unsigned threads)
    : index_(std::move(index)) {
  require_search(queries, k, threads);
  count_ = queries.count;
  dim_ = queries.dim;
  element_ = queries.element;
  vectors_.resize_for_overwrite(count_ * row_bytes(element_, dim_));
  convert(queries, element_, vectors_.mutable_data());
  hidden_.assign(count_, no_row);
  {
    const Records::Reading rows = index_.records->read();
    rows->require_vectors("measuring recall");
    if (queries.count > 0) rows->require_shape(queries, "queries");
    choose_k(*rows, k);
  }
  find_truth(threads);
}

RecallEvaluator::RecallEvaluator(EvaluatedIndex index, std::size_t count, std::size_t k, std::uint64_t seed,
                                 unsigned threads)
    : index_(std::move(index)) {
  if (k == 0) throw InvalidArgument("k is 0; it must be at least 1");
  {
    const Records::Reading rows = index_.records->read();
    rows->require_vectors("measuring recall");
    std::vector<Row> live = rows->ids().live_rows();
    count_ = std::min(count, live.size());
    Random random(seed);
    for (std::size_t i = 0; i < count_; ++i) std::swap(live[i], live[i + random.next() % (live.size() - i)]);
    live.resize(count_);
    dim_ = rows->dim();
    element_ = rows->store().element();
    const std::size_t bytes = row_bytes(element_, dim_);
    vectors_.resize_for_overwrite(count_ * bytes);
    for (std::size_t i = 0; i < count_; ++i)
      std::memcpy(vectors_.mutable_data() + i * bytes, rows->store().row(live[i]), bytes);
    hidden_ = std::move(live);
    choose_k(*rows, k);
  }
  find_truth(threads);
}

void RecallEvaluator::choose_k(const Rows& rows, std::size_t k) noexcept {
  version_ = *index_.version;
  rows_ = rows.live_count();
  k_ = std::min(k, rows.live_count() - std::min(rows.live_count(), own()));
}

void RecallEvaluator::require_unchanged() const {
  if (*index_.version != version_) throw InvalidArgument("the index has changed since the probe was made");
}

void RecallEvaluator::find_truth(unsigned threads) {
  constexpr std::size_t together = 256;
  truth_.assign(count_ * k_, {});
  if (truth_.empty()) return;
  const std::size_t each = k_ + own();
  for (std::size_t first = 0; first < count_; first += together) {
    const VectorsView part = queries().slice(first, std::min(together, count_ - first));
    const Records::Reading rows = index_.records->read();
    require_unchanged();
    std::vector<Neighbor> all(part.count * each);
    exact_search(rows->target(std::nullopt), part, each, threads, all);
    for (std::size_t q = 0; q < part.count; ++q) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < each && kept < k_; ++i) {
        const Neighbor& neighbor = all[q * each + i];
        if (neighbor.row != hidden_[first + q]) truth_[(first + q) * k_ + kept++] = neighbor;
      }
    }
  }
}

typename RecallEvaluator::Hits RecallEvaluator::recall(std::size_t effort, unsigned threads) const {
  const Records::Reading rows = index_.records->read();
  require_unchanged();
  Hits hits = {count_ * k_, count_ * k_, count_, static_cast<double>(count_), true};
  if (hits.wanted == 0) return hits;
  std::atomic<std::size_t> found = 0, squares = 0;
  hits.is_exact = !index_.search(*rows, queries(), hidden_, k_, effort, threads, [&](std::size_t q, auto near) {
    // Where too little is found, all is searched again, exactly.
    const std::size_t of_query = near.size() < k_ ? k_ : right(q, near);
    found.fetch_add(of_query, std::memory_order_relaxed);
    squares.fetch_add(of_query * of_query, std::memory_order_relaxed);
  });
  if (hits.is_exact) return hits;
  hits.found = found.load();
  hits.squares = static_cast<double>(squares.load()) / static_cast<double>(k_ * k_);
  return hits;
}

bool RecallEvaluator::all_find_themselves(std::size_t effort, unsigned threads) const {
  const Records::Reading rows = index_.records->read();
  require_unchanged();
  if (own() == 0 || rows->metric() == Metric::ip) return true;
  const std::vector<Row> nobody(count_, no_row);
  std::atomic<bool> all = true;
  index_.search(*rows, queries(), nobody, 1, effort, threads, [&](std::size_t q, auto near) {
    if (!near.empty() && near[0].row != hidden_[q] && near[0].distance != 0) all = false;
  });
  return all;
}

std::size_t RecallEvaluator::right(std::size_t query, std::span<const Neighbor> found) const {
  // As near as the last true one is as good: rows at equal distance stand for one another.
  const float last = truth_[query * k_ + k_ - 1].distance;
  return static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(), [&](const Neighbor& one) { return one.distance <= last; }));
}

}  // namespace lookalike
