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
namespace {

Array<std::byte> copy_rows(const Rows& rows, std::span<const Row> which) {
  const std::size_t bytes = row_bytes(rows.store().element(), rows.dim());
  Array<std::byte> vectors;
  vectors.resize_for_overwrite(which.size() * bytes);
  for (std::size_t i = 0; i < which.size(); ++i)
    std::memcpy(vectors.mutable_data() + i * bytes, rows.store().row(which[i]), bytes);
  return vectors;
}

}  // namespace

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
    const Records::ReadLock rows = index_.records->read();
    rows->require_vectors("measuring recall");
    if (queries.count > 0) rows->require_shape(queries, "queries");
    set_k(*rows, k);
  }
  find_truth(threads);
}

RecallEvaluator::RecallEvaluator(EvaluatedIndex index, std::size_t count, std::size_t k, std::uint64_t seed,
                                 unsigned threads, std::size_t self_queries)
    : index_(std::move(index)) {
  if (k == 0) throw InvalidArgument("k is 0; it must be at least 1");
  {
    const Records::ReadLock rows = index_.records->read();
    rows->require_vectors("measuring recall");
    std::vector<Row> live = rows->ids().live_rows();
    count_ = std::min(count, live.size());
    const std::size_t sampled = std::min(std::max(count, self_queries), live.size());
    Random random(seed);
    for (std::size_t i = 0; i < sampled; ++i) std::swap(live[i], live[i + random.next() % (live.size() - i)]);
    dim_ = rows->dim();
    element_ = rows->store().element();
    const std::span<const Row> sample = std::span(live).first(sampled);
    hidden_.assign(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(count_));
    self_rows_.assign(sample.begin() + static_cast<std::ptrdiff_t>(count_), sample.end());
    vectors_ = copy_rows(*rows, hidden_);
    self_vectors_ = copy_rows(*rows, self_rows_);
    set_k(*rows, k);
  }
  find_truth(threads);
}

void RecallEvaluator::set_k(const Rows& rows, std::size_t k) noexcept {
  version_ = *index_.version;
  rows_ = rows.live_count();
  k_ = std::min(k, rows.live_count() - std::min(rows.live_count(), self_hits()));
}

void RecallEvaluator::require_unchanged() const {
  if (*index_.version != version_)
    throw InvalidArgument("the index has changed since the recall evaluator was made; make a new one");
}

void RecallEvaluator::find_truth(unsigned threads) {
  constexpr std::size_t batch = 256;
  truth_.assign(count_ * k_, {});
  if (truth_.empty()) return;
  const std::size_t each = k_ + self_hits();
  for (std::size_t first = 0; first < count_; first += batch) {
    const VectorsView part = queries().slice(first, std::min(batch, count_ - first));
    const Records::ReadLock rows = index_.records->read();
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

RecallEvaluator::Hits RecallEvaluator::recall(std::size_t effort, unsigned threads) const {
  const Records::ReadLock rows = index_.records->read();
  require_unchanged();
  Hits hits = {count_ * k_, count_ * k_, count_, static_cast<double>(count_), true};
  if (hits.total == 0) return hits;
  std::atomic<std::size_t> found = 0, squares = 0;
  hits.is_exact = !index_.search(*rows, queries(), hidden_, k_, effort, threads, [&](std::size_t q, auto neighbors) {
    // A search that returns fewer than k rows is repeated exactly, so it finds all of them.
    const std::size_t of_query = neighbors.size() < k_ ? k_ : count_true(q, neighbors);
    found.fetch_add(of_query, std::memory_order_relaxed);
    squares.fetch_add(of_query * of_query, std::memory_order_relaxed);
  });
  if (hits.is_exact) return hits;
  hits.found = found.load();
  hits.squares = static_cast<double>(squares.load()) / static_cast<double>(k_ * k_);
  return hits;
}

bool RecallEvaluator::has_full_self_recall(std::size_t effort, unsigned threads) const {
  const Records::ReadLock rows = index_.records->read();
  require_unchanged();
  if (self_hits() == 0 || rows->metric() == Metric::ip) return true;
  const std::vector<Row> none_hidden(std::max(hidden_.size(), self_rows_.size()), no_row);
  std::atomic<bool> all = true;
  const auto search = [&](const Array<std::byte>& vectors, std::span<const Row> expected) {
    if (expected.empty()) return;
    const VectorsView view = {vectors.data(), element_, expected.size(), dim_, vectors.size() / expected.size()};
    const std::span<const Row> hidden = std::span(none_hidden).first(expected.size());
    index_.search(*rows, view, hidden, 1, effort, threads, [&](std::size_t q, auto neighbors) {
      if (!neighbors.empty() && neighbors[0].row != expected[q] && neighbors[0].distance != 0) all = false;
    });
  };
  search(vectors_, hidden_);
  if (all) search(self_vectors_, self_rows_);
  return all;
}

std::size_t RecallEvaluator::count_true(std::size_t query, std::span<const Neighbor> found) const {
  // Rows at the same distance are interchangeable, so every row at most as far as the k-th true neighbour counts.
  const float last = truth_[query * k_ + k_ - 1].distance;
  return static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(), [&](const Neighbor& neighbor) { return neighbor.distance <= last; }));
}

}  // namespace lookalike
