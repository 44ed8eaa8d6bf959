#include "graph/beam_search.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

// A pool key holds a distance and a row in one integer that sorts by both: the float's bits, ordered as integers are,
// above the row, above one bit that says whether the node was expanded. Rows count down: of many equal ones the pool
// keeps the latest, which know the others; the first few could not know them all.
constexpr Row last_row = 0x7fffffff;
constexpr std::int64_t expanded = 1;
constexpr std::int64_t empty = std::numeric_limits<std::int64_t>::max();  // behind all keys, and nothing to expand

std::int64_t key_of(float distance, Row row) {
  const std::int32_t bits = std::bit_cast<std::int32_t>(distance);
  const std::int64_t ordered = bits ^ (bits >> 31 & 0x7fffffff);
  return ordered * (std::int64_t{1} << 32) + (std::int64_t{row ^ last_row} << 1);
}

Row row_of(std::int64_t key) { return static_cast<Row>(static_cast<std::uint32_t>(key) >> 1) ^ last_row; }

float distance_of(std::int64_t key) {
  const std::int32_t ordered = static_cast<std::int32_t>(key >> 32);
  return std::bit_cast<float>(ordered ^ (ordered >> 31 & 0x7fffffff));
}

void prefetch(const void* address, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(static_cast<const char*>(address) + at);
}

}  // namespace

void BeamSearch::begin(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries, std::size_t width,
                       Row hidden) {
  if (met_count_ > 0) std::fill(seen_.begin(), seen_.end(), 0);  // a walk that was left before its end
  const std::size_t most = std::max(graph.degree(), entries.size()) + 1;
  if (seen_.size() < (graph.nodes() + 63) / 64) seen_.resize((graph.nodes() + 63) / 64);
  if (pool_.size() < width + 2 * sorted_margin) pool_.resize(width + 2 * sorted_margin);
  if (distances_.size() < most) distances_.resize(most), positions_.resize(most);
  if (met_.size() < 4096 + most) met_.resize(4096 + most);
  std::fill_n(pool_.data(), sorted_margin, std::numeric_limits<std::int64_t>::min());
  std::fill_n(pool_.data() + sorted_margin, width + sorted_margin, empty);
  scorer_ = scorer;
  graph_ = &graph;
  width_ = width;
  cursor_ = met_count_ = asked_ = 0;
  if (hidden != no_row) met_count_ = keep_unseen({&hidden, 1}, met_.data());
  enter(entries);
  step_ = next_step();
}

std::size_t BeamSearch::keep_unseen(std::span<const Row> ids, Row* out) {
  std::uint64_t* const seen = seen_.data();
  std::size_t kept = 0;
  for (const Row id : ids) {
    std::uint64_t& word = seen[id / 64];
    const std::uint64_t before = word;
    word = before | std::uint64_t{1} << (id % 64);
    out[kept] = id;
    kept += ~(before >> (id % 64)) & 1;
  }
  return kept;
}

void BeamSearch::take(const Row* rows, std::size_t count) {
  std::int64_t* const pool = pool_.data() + sorted_margin;
  const std::int64_t last = pool[width_ - 1];
  const float limit = last == empty ? std::numeric_limits<float>::infinity() : distance_of(last);
  const KernelTable& table = kernels();
  const std::size_t near = table.find_not_above(distances_.data(), count, limit, positions_.data());
  for (std::size_t i = 0; i < near; ++i) {
    const Row row = rows[positions_[i]];
    const std::size_t at = table.insert_sorted(pool, width_, key_of(distances_[positions_[i]], row));
    cursor_ = std::min(cursor_, at);
    // Soon to be expanded. Asking for all that come would keep memory busy with those that never are.
    if (at < cursor_ + 2) prefetch(graph_->room(row), graph_->degree() * sizeof(Row));
  }
}

// Chooses the nearest node not expanded yet, and collects those of its neighbours that were not seen.
BeamSearch::Step BeamSearch::next_step() {
  std::int64_t* const pool = pool_.data() + sorted_margin;
  while (cursor_ < width_ && pool[cursor_] & expanded) ++cursor_;
  if (cursor_ == width_) return {};
  const Row node = row_of(pool[cursor_]);
  pool[cursor_] |= expanded;
  ++counters.hops;
  if (met_.size() < met_count_ + graph_->degree()) met_.resize(met_.size() * 2);
  const Step step = {true, met_count_, keep_unseen(graph_->neighbors(node), met_.data() + met_count_)};
  met_count_ += step.count;
  std::size_t after = cursor_ + 1;
  while (after < width_ && pool[after] & expanded) ++after;
  if (after < width_) prefetch(graph_->room(row_of(pool[after])), graph_->degree() * sizeof(Row));
  return step;
}

// Memory is asked for a row some rows before it is measured, across steps: so it is always busy, and never has more to
// do than it has room to remember.
void BeamSearch::measure(const Step& step) {
  constexpr std::size_t together = 8, bytes_ahead = 24 * 64, most_of_a_row = 512;
  const std::size_t bytes = std::min(scorer_.stride, most_of_a_row);
  const std::size_t ahead = std::max<std::size_t>(1, bytes_ahead / bytes);
  const std::size_t end = step.first + step.count;
  for (std::size_t i = step.first; i < end; i += together) {
    const std::size_t wanted = std::min(i + together + ahead, met_count_);
    for (; asked_ < wanted; ++asked_) prefetch(scorer_.rows + met_[asked_] * scorer_.stride, bytes);
    scorer_.measure(met_.data() + i, std::min(together, end - i), distances_.data() + (i - step.first));
  }
  counters.distances += step.count;
}

// A step is chosen before the results of the one before it are known: the walk takes a few steps more, and each finds
// in the cache what it needs.
bool BeamSearch::advance() {
  if (!step_.is_taken) return false;
  const Step next = next_step();
  measure(step_);
  take(met_.data() + step_.first, step_.count);
  step_ = next.is_taken ? next : next_step();
  return step_.is_taken;
}

std::span<Neighbor> BeamSearch::finish() {
  for (std::size_t i = 0; i < met_count_; ++i) seen_[met_[i] / 64] = 0;
  met_count_ = 0;
  const std::int64_t* const pool = pool_.data() + sorted_margin;
  found_.clear();
  for (std::size_t i = 0; i < width_ && pool[i] != empty; ++i)
    found_.push_back({row_of(pool[i]), distance_of(pool[i])});
  for (auto first = found_.begin(); first != found_.end();) {
    const auto is_farther = [&](const Neighbor& other) { return other.distance != first->distance; };
    const auto last = std::find_if(first + 1, found_.end(), is_farther);
    std::reverse(first, last);
    first = last;
  }
  return found_;
}

std::span<Neighbor> BeamSearch::search(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries,
                                       std::size_t width, Row hidden) {
  begin(scorer, graph, entries, width, hidden);
  while (advance()) {
  }
  return finish();
}

void BeamSearch::enter(std::span<const Row> entries) {
  Row* const best = met_.data() + met_count_;
  const std::size_t count = keep_unseen(entries, best);
  if (count == 0) return;
  scorer_.measure(best, count, distances_.data());
  counters.distances += count;
  std::size_t nearest = 0;
  for (std::size_t i = 1; i < count; ++i) nearest = distances_[i] < distances_[nearest] ? i : nearest;
  // Only the nearest one counts as met: the others may be on the way.
  std::swap(best[0], best[nearest]);
  distances_[0] = distances_[nearest];
  for (std::size_t i = 1; i < count; ++i) seen_[best[i] / 64] &= ~(std::uint64_t{1} << (best[i] % 64));
  ++met_count_;
  take(best, 1);
}

}  // namespace lookalike
