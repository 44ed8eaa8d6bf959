#include "indexes/probe.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/errors.hpp"
#include "base/random.hpp"
#include "codes/values.hpp"
#include "indexes/exact_search.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {

Probe::Probe(const Hnsw& index, const VectorsView& queries, std::size_t k, unsigned threads) : index_(index) {
  require_search(queries, k, threads);
  count_ = queries.count;
  dim_ = queries.dim;
  element_ = queries.element;
  vectors_.resize_for_overwrite(count_ * row_bytes(element_, dim_));
  convert(queries, element_, vectors_.mutable_data());
  hidden_.assign(count_, no_row);
  {
    const Records::Reading rows = index.records().read();
    if (queries.count > 0) rows->require_shape(queries, "queries");
    choose_k(*rows, k);
  }
  find_truth(threads);
}

Probe::Probe(const Hnsw& index, std::size_t count, std::size_t k, std::uint64_t seed, unsigned threads)
    : index_(index) {
  if (k == 0) throw InvalidArgument("k is 0; it must be at least 1");
  {
    const Records::Reading rows = index.records().read();
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

void Probe::choose_k(const Rows& rows, std::size_t k) noexcept {
  version_ = index_.version_;
  k_ = std::min(k, rows.live_count() - std::min(rows.live_count(), own()));
}

void Probe::require_unchanged() const {
  if (index_.version_ != version_) throw InvalidArgument("the index has changed since the probe was made");
}

void Probe::find_truth(unsigned threads) {
  constexpr std::size_t together = 256;
  truth_.assign(count_ * k_, {});
  if (truth_.empty()) return;
  const std::size_t each = k_ + own();
  for (std::size_t first = 0; first < count_; first += together) {
    const VectorsView part = queries().slice(first, std::min(together, count_ - first));
    const Records::Reading rows = index_.records().read();
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

Probe::Hits Probe::recall(std::size_t ef, unsigned threads) const {
  const Records::Reading rows = index_.records().read();
  require_unchanged();
  Hits hits = {count_ * k_, count_ * k_};
  if (index_.graph_.is_empty() || k_ == 0 || count_ == 0) return hits;
  const PreparedQueries prepared(queries(), rows->store().element(), rows->metric(), threads);
  const HnswTarget target = {index_.graph_, index_.graph_.plane(*rows), rows->ids().live(),
                             static_cast<Row>(index_.graph_.linked)};
  // As a search goes: where measuring every row is cheaper than walking, nothing is missed.
  const std::optional<std::size_t> width = index_.walk_width(*rows, rows->live_count(), index_.width_for(k_, ef));
  if (!width) return hits;
  std::atomic<std::size_t> found = 0;
  parallel_for(count_, threads, [&](std::size_t q, unsigned) {
    const auto worker = index_.workers_.take();
    const auto near = hnsw_search(target, prepared, q, k_, *width, hidden_[q], *worker);
    if (near.size() < k_) {  // searched again, exactly
      found.fetch_add(k_, std::memory_order_relaxed);
      return;
    }
    // As near as the last true one is as good: rows at equal distance stand for one another, and kernels round
    // otherwise than the truth does. Cosines near 1 are told no finer than 1 is.
    const float last = truth_[q * k_ + k_ - 1].distance;
    const float reach = last + 1e-5f * std::fabs(last) + (rows->metric() == Metric::cosine ? 1e-6f : 0.0f);
    std::size_t right = 0;
    for (const Neighbor& neighbor : near) {
      const auto is_it = [&](const Neighbor& one) { return one.row == neighbor.row; };
      const auto first = truth_.begin() + static_cast<std::ptrdiff_t>(q * k_);
      right += neighbor.distance <= reach || std::any_of(first, first + static_cast<std::ptrdiff_t>(k_), is_it);
    }
    found.fetch_add(right, std::memory_order_relaxed);
  });
  hits.found = found.load();
  return hits;
}

}  // namespace lookalike
