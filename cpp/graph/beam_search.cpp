#include "graph/beam_search.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

// A pool key packs a distance, a row and an "expanded" flag into one sortable integer. From the top: 32 bits of the
// distance, mapped so that integers order as the floats do; 31 bits of the row; the flag. Row bits are inverted so that
// ties keep the newest rows: newer duplicates hold edges to older ones.
constexpr Row last_row = 0x7fffffff;
constexpr std::int64_t expanded = 1;
constexpr std::int64_t empty = std::numeric_limits<std::int64_t>::max();  // sorts last and counts as expanded

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

void BeamSearch::begin(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries, std::size_t ef,
                       Row hidden) {
  if (visited_count_ > 0) std::fill(visited_bits_.begin(), visited_bits_.end(), 0);  // the last search never finished
  const std::size_t max_batch = std::max(graph.degree(), entries.size()) + 1;
  if (visited_bits_.size() < (graph.nodes() + 63) / 64) visited_bits_.resize((graph.nodes() + 63) / 64);
  if (pool_.size() < ef + 2 * sorted_margin) pool_.resize(ef + 2 * sorted_margin);
  if (distances_.size() < max_batch) distances_.resize(max_batch), positions_.resize(max_batch);
  if (visited_.size() < 4096 + max_batch) visited_.resize(4096 + max_batch);
  std::fill_n(pool_.data(), sorted_margin, std::numeric_limits<std::int64_t>::min());
  std::fill_n(pool_.data() + sorted_margin, ef + sorted_margin, empty);
  scorer_ = scorer;
  graph_ = &graph;
  ef_ = ef;
  cursor_ = visited_count_ = prefetched_ = 0;
  if (hidden != no_row) visited_count_ = mark_visited({&hidden, 1}, visited_.data());
  insert_nearest_entry(entries);
  step_ = expand_next();
}

std::size_t BeamSearch::mark_visited(std::span<const Row> ids, Row* fresh) {
  std::uint64_t* const visited_bits = visited_bits_.data();
  std::size_t fresh_count = 0;
  for (const Row id : ids) {
    std::uint64_t& word = visited_bits[id / 64];
    const std::uint64_t before = word;
    word = before | std::uint64_t{1} << (id % 64);
    fresh[fresh_count] = id;  // overwritten by the next id unless this one counts
    fresh_count += ~(before >> (id % 64)) & 1;
  }
  return fresh_count;
}

void BeamSearch::insert(const Row* rows, std::size_t count) {
  std::int64_t* const pool = pool_.data() + sorted_margin;
  const std::int64_t last = pool[ef_ - 1];
  const float limit = last == empty ? std::numeric_limits<float>::infinity() : distance_of(last);
  const KernelTable& table = kernels();
  const std::size_t candidates = table.find_not_above(distances_.data(), count, limit, positions_.data());
  for (std::size_t i = 0; i < candidates; ++i) {
    const Row row = rows[positions_[i]];
    const std::size_t at = table.insert_sorted(pool, ef_, key_of(distances_[positions_[i]], row));
    cursor_ = std::min(cursor_, at);
    // Prefetch only the edges of nodes that will be expanded soon. Most of the others never are.
    if (at < cursor_ + 2) prefetch(graph_->slots(row), graph_->degree() * sizeof(Row));
  }
}

// Expands the nearest unexpanded node: marks its unvisited neighbours as visited and queues them for measuring.
BeamSearch::Step BeamSearch::expand_next() {
  std::int64_t* const pool = pool_.data() + sorted_margin;
  while (cursor_ < ef_ && pool[cursor_] & expanded) ++cursor_;
  if (cursor_ == ef_) return {};
  const Row node = row_of(pool[cursor_]);
  pool[cursor_] |= expanded;
  ++counters.hops;
  if (visited_.size() < visited_count_ + graph_->degree()) visited_.resize(visited_.size() * 2);
  const Step step = {true, visited_count_, mark_visited(graph_->neighbors(node), visited_.data() + visited_count_)};
  visited_count_ += step.count;
  std::size_t after = cursor_ + 1;
  while (after < ef_ && pool[after] & expanded) ++after;
  if (after < ef_) prefetch(graph_->slots(row_of(pool[after])), graph_->degree() * sizeof(Row));
  return step;
}

// Prefetches rows a fixed number of bytes ahead of the row being measured, across steps. This keeps the memory system
// busy without exceeding the cache misses it can track.
void BeamSearch::measure(const Step& step) {
  constexpr std::size_t batch = 8, bytes_ahead = 24 * 64, max_row_bytes = 512;
  const std::size_t bytes = std::min(scorer_.stride, max_row_bytes);
  const std::size_t ahead = std::max<std::size_t>(1, bytes_ahead / bytes);
  const std::size_t end = step.first + step.count;
  for (std::size_t i = step.first; i < end; i += batch) {
    const std::size_t prefetch_end = std::min(i + batch + ahead, visited_count_);
    for (; prefetched_ < prefetch_end; ++prefetched_)
      prefetch(scorer_.rows + visited_[prefetched_] * scorer_.stride, bytes);
    scorer_.measure(visited_.data() + i, std::min(batch, end - i), distances_.data() + (i - step.first));
  }
  counters.distances += step.count;
}

// Chooses the next node before the current distances are known. This costs a few more hops, but each finds its data in
// the cache.
bool BeamSearch::advance() {
  if (!step_.exists) return false;
  const Step next = expand_next();
  measure(step_);
  insert(visited_.data() + step_.first, step_.count);
  step_ = next.exists ? next : expand_next();
  return step_.exists;
}

std::span<Neighbor> BeamSearch::finish() {
  for (std::size_t i = 0; i < visited_count_; ++i) visited_bits_[visited_[i] / 64] = 0;
  visited_count_ = 0;
  const std::int64_t* const pool = pool_.data() + sorted_margin;
  found_.clear();
  for (std::size_t i = 0; i < ef_ && pool[i] != empty; ++i) found_.push_back({row_of(pool[i]), distance_of(pool[i])});
  // The pool holds ties by descending row; results list them by ascending row.
  for (auto first = found_.begin(); first != found_.end();) {
    const auto is_farther = [&](const Neighbor& other) { return other.distance != first->distance; };
    const auto last = std::find_if(first + 1, found_.end(), is_farther);
    std::reverse(first, last);
    first = last;
  }
  return found_;
}

std::span<Neighbor> BeamSearch::search(const Scorer& scorer, const Adjacency& graph, std::span<const Row> entries,
                                       std::size_t ef, Row hidden) {
  begin(scorer, graph, entries, ef, hidden);
  while (advance()) {
  }
  return finish();
}

void BeamSearch::insert_nearest_entry(std::span<const Row> entries) {
  Row* const fresh = visited_.data() + visited_count_;
  const std::size_t count = mark_visited(entries, fresh);
  if (count == 0) return;
  scorer_.measure(fresh, count, distances_.data());
  counters.distances += count;
  std::size_t nearest = 0;
  for (std::size_t i = 1; i < count; ++i) nearest = distances_[i] < distances_[nearest] ? i : nearest;
  // Only the nearest entry stays visited. The search may reach the others by edges.
  std::swap(fresh[0], fresh[nearest]);
  distances_[0] = distances_[nearest];
  for (std::size_t i = 1; i < count; ++i) visited_bits_[fresh[i] / 64] &= ~(std::uint64_t{1} << (fresh[i] % 64));
  ++visited_count_;
  insert(fresh, 1);
}

}  // namespace lookalike
