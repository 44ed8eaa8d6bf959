// How rows come into the graph of an HNSW index, and how it stays whole when rows go.
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/random.hpp"
#include "graph/builder.hpp"
#include "graph/entry_selection.hpp"
#include "graph/reach.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "index/hnsw/hnsw.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t fewest_linked = 512;  // fewer rows than this are searched exactly
constexpr std::size_t most_entries = 32, entries_sampled = 4096;
constexpr std::size_t largest_batch = 1024;
constexpr std::size_t applied_together = 64;  // nodes rewired while readers wait

std::vector<Row> shuffled(Row first, Row end, std::uint64_t seed) {
  std::vector<Row> rows(end - first);
  std::iota(rows.begin(), rows.end(), first);
  Random random(seed);
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.next() % i]);
  return rows;
}

}  // namespace

void Hnsw::link_new(Records::Writing& writing, unsigned threads) {
  const std::size_t count = writing->count();
  if (count < fewest_linked || graph_.linked == count || has_extremes_ || are_vanishing_) return;
  const bool is_first = graph_.is_empty();
  has_extremes_ = is_first && !is_measurable(writing->store().view(), writing->metric(), threads);
  // Nothing less than all rows tells, so it is kept in mind until a longer one comes.
  are_vanishing_ = is_first && squares_of(writing->store().view(), writing->metric()) == Squares::vanishing;
  if (has_extremes_ || are_vanishing_) return;
  relearn(writing, threads);
  std::vector<Row> order = shuffled(static_cast<Row>(graph_.linked), static_cast<Row>(count), settings_.seed);
  if (is_first) {
    choose_entries(writing);
    // They come first, so that the others find them.
    const auto is_entry = [&](Row row) {
      return std::find(graph_.entries.begin(), graph_.entries.end(), row) != graph_.entries.end();
    };
    std::erase_if(order, is_entry);
    order.insert(order.begin(), graph_.entries.begin(), graph_.entries.end());
  }
  if (!is_first) before_ = Memory{RowFilter(graph_.linked), {}};
  try {
    std::size_t linked = graph_.linked;
    for (std::size_t at = 0; at < order.size();) {
      const std::size_t size = std::min({std::max<std::size_t>(linked, 1), largest_batch, order.size() - at});
      link(writing, {order.data() + at, size}, threads, is_first ? std::max<std::size_t>(linked, 1) : most_entries);
      at += size;
      linked += size;
    }
    if (!is_first && 4 * count > 5 * graph_.entries_chosen_over) choose_entries(writing);
    look_after_reach(writing, order.size(), threads);
  } catch (...) {  // rows that stay would have lost what was near for what goes
    put_back(writing);
    throw;
  }
  writing.exclusively([&](Rows&) noexcept { graph_.linked = count; });
  before_.reset();
}

void Hnsw::link(Records::Writing& writing, std::span<const Row> rows, unsigned threads, std::size_t entries) {
  const GraphMetric metric(graph_, *writing);
  Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
  apply(writing,
        builder.link(rows, std::span<const Row>(graph_.entries).first(std::min(entries, graph_.entries.size()))));
}

void Hnsw::apply(Records::Writing& writing, const EdgeUpdates& rewiring) {
  if (graph_.neighbors.is_mapped()) {  // copied now, and not while readers wait
    Extension<Row> owned = graph_.neighbors.grow(0);
    writing.exclusively([&](Rows&) noexcept { owned.commit(); });
  }
  if (before_) remember(rewiring);
  for (std::size_t first = 0; first < rewiring.size(); first += applied_together) {
    const std::size_t last = std::min(first + applied_together, rewiring.size());
    writing.exclusively([&](Rows&) { rewiring.apply(first, last, graph_.neighbors); });
  }
}

void Hnsw::remember(const EdgeUpdates& rewiring) {
  std::vector<Row> nodes;
  for (const Row node : rewiring.nodes())
    if (node < graph_.linked && !before_->nodes.test(node)) nodes.push_back(node);
  EdgeUpdates neighbors(settings_.degree());
  neighbors.add(nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i) neighbors.set(i, graph_.neighbors.neighbors(nodes[i]));
  before_->neighbors.push_back(std::move(neighbors));
  for (const Row node : nodes) before_->nodes.set(node);
}

void Hnsw::put_back(Records::Writing& writing) noexcept {
  if (!before_) return;
  for (const EdgeUpdates& neighbors : before_->neighbors) {
    for (std::size_t first = 0; first < neighbors.size(); first += applied_together) {
      const std::size_t last = std::min(first + applied_together, neighbors.size());
      writing.exclusively([&](Rows&) { neighbors.apply(first, last, graph_.neighbors); });
    }
  }
  before_.reset();
}

void Hnsw::relearn(Records::Writing& writing, unsigned threads) {
  const std::size_t count = writing->count();
  std::optional<QuantizedRows> codes;
  if (settings_.wants_codes(writing->store())) {
    // What a few hundred rows taught is learned again from more, until there were enough.
    if (graph_.learned_over >= QuantizedRows::most_learned || count < 4 * graph_.learned_over) return;
    codes = QuantizedRows::learn(graph_.space(*writing), settings_.code_width(), settings_.seed, threads);
  } else if (!graph_.codes) {
    return;
  }
  writing.exclusively([&](Rows&) noexcept {
    graph_.codes.swap(codes);
    graph_.learned_over = count;
    tuning_.promise.expire();
  });
}

void Hnsw::choose_entries(Records::Writing& writing) {
  std::vector<Row> rows = shuffled(0, static_cast<Row>(writing->count()), settings_.seed + 1);
  std::erase_if(rows, [&](Row row) { return !writing->ids().is_live(row); });
  rows.resize(std::min(rows.size(), entries_sampled));
  if (rows.empty()) return;
  const GraphMetric metric(graph_, *writing);
  std::vector<Row> entries = select_entries(metric.node_metric(), rows, most_entries, settings_.seed);
  writing.exclusively([&](Rows&) noexcept {
    graph_.entries.swap(entries);
    graph_.entries_chosen_over = graph_.neighbors.nodes();
  });
}

void Hnsw::relink(Records::Writing& writing, std::vector<Row>& moved, unsigned threads) {
  const std::size_t count = moved.size();
  // Batch by batch: rows whose old neighbours let go of them are soon found again.
  while (!moved.empty() && !graph_.is_empty()) {
    const std::size_t left = moved.size() - std::min(largest_batch, moved.size());
    relink_batch(writing, std::span(moved).subspan(left), threads);
    moved.resize(left);
  }
  if (count > 0 && !graph_.is_empty()) look_after_reach(writing, count, threads);
}

void Hnsw::relink_batch(Records::Writing& writing, std::span<const Row> moved, unsigned threads) {
  const GraphMetric metric(graph_, *writing);
  // Their old neighbours let go of them, and are joined to one another.
  RowFilter is_moved(writing->count());
  for (const Row row : moved) is_moved.set(row);
  const auto is_gone = [&](Row row) { return is_moved.test(row); };
  std::vector<Row> affected;
  for (const Row row : moved)
    for (const Row neighbor : graph_.neighbors.neighbors(row))
      if (!is_gone(neighbor)) affected.push_back(neighbor);
  std::sort(affected.begin(), affected.end());
  affected.erase(std::unique(affected.begin(), affected.end()), affected.end());
  std::erase_if(affected, [&](Row node) {
    const std::span<const Row> neighbors = graph_.neighbors.neighbors(node);
    return std::none_of(neighbors.begin(), neighbors.end(), is_gone);
  });
  for (std::size_t at = 0; at < affected.size(); at += largest_batch) {
    Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
    apply(writing, builder.consolidate_deletes(
                       std::span(affected).subspan(at, std::min(largest_batch, affected.size() - at)), is_gone));
  }
  link(writing, moved, threads, most_entries);
}

// Looking takes as long as reading the whole graph, so it has to wait until enough has changed. Under inner products
// short rows are near nobody: nodes let go of them again and again, and no query looks for them.
void Hnsw::look_after_reach(Records::Writing& writing, std::size_t changed, unsigned threads) {
  constexpr std::size_t few_nodes = 4096;
  const bool is_ip = writing->metric() == Metric::ip;
  changed_ += changed;
  const std::size_t share = is_ip ? 2 : writing->count() > few_nodes ? 20 : 64;
  if (changed_ < writing->count() / share) return;
  make_reachable(writing, threads);
  changed_ = 0;
}

void Hnsw::make_reachable(Records::Writing& writing, unsigned threads) {
  const GraphMetric metric(graph_, *writing);
  constexpr int attempts = 3;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const std::vector<Row> rest = missing_entries(graph_.neighbors, graph_.entries);
    if (rest.empty()) return;
    Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
    apply(writing, builder.attach(rest, graph_.entries));
  }
  // An edge that brings one in may have shut out another: what is left after that becomes an entry.
  for (;;) {
    const std::vector<Row> rest = missing_entries(graph_.neighbors, graph_.entries);
    if (rest.empty()) return;
    std::vector<Row> entries = graph_.entries;
    entries.push_back(rest.front());
    writing.exclusively([&](Rows&) noexcept { graph_.entries.swap(entries); });
  }
}

void Hnsw::compact(Records::Writing& writing, unsigned threads) {
  const std::vector<Row> live = writing->ids().live_rows();
  if (live.size() == writing->count()) return;
  // Whoever loses a neighbour is joined to that neighbour's neighbours first, beside the readers.
  changed_ = writing->count();  // should this end early, the next change looks whether every row is still reached
  if (!graph_.is_empty()) {
    const GraphMetric metric(graph_, *writing);
    const auto is_gone = [&](Row row) { return !writing->ids().is_live(row); };
    std::vector<Row> affected;
    for (const Row row : live) {
      const std::span<const Row> neighbors = graph_.neighbors.neighbors(row);
      if (std::any_of(neighbors.begin(), neighbors.end(), is_gone)) affected.push_back(row);
    }
    for (std::size_t at = 0; at < affected.size(); at += largest_batch) {
      Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
      apply(writing, builder.consolidate_deletes(
                         std::span(affected).subspan(at, std::min(largest_batch, affected.size() - at)), is_gone));
    }
  }
  Rows kept = writing->picked(live);
  HnswGraph graph = graph_.picked(live);
  if (graph.entries.empty()) {  // what comes may be of another kind
    graph.linked = graph.learned_over = 0;
    graph.codes.reset();
  }
  has_extremes_ = false;  // unless they are found again
  writing.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    std::swap(graph_, graph);
    ++version_;
  });
  if (graph_.is_empty() && writing->count() >= fewest_linked) return link_new(writing, threads);
  if (graph_.is_empty()) return;
  if (graph_.entries.size() < most_entries / 2) choose_entries(writing);
  make_reachable(writing, threads);
  changed_ = 0;
  keep_promise(writing, 0, threads);
}

void Hnsw::keep_promise(Records::Writing& writing, std::size_t changed, unsigned threads) {
  writing.exclusively([&](Rows&) noexcept { tuning_.promise.changed += changed; });
  if (graph_.is_empty() || !tuning_.promise.is_due()) return;
  measure_promise(writing, threads);
  if (tuning_.promise.effort > usual_ef && refit(writing, threads)) measure_promise(writing, threads);
}

void Hnsw::measure_promise(Records::Writing& writing, unsigned threads) {
  // Few queries where rows are long: finding their true neighbours takes some hundredths of the time that linking does.
  constexpr std::size_t bytes = 180000, fewest = 32, most = 256, changes_each = 16;
  constexpr std::size_t least_requested = 16, halves = 2;
  const std::size_t longest = bytes / std::max<std::size_t>(writing->store().view().stride, 1);
  const std::size_t queries =
      tuning_.promise.queries_due(writing->live_count(), changes_each, fewest, std::clamp(longest, 2 * fewest, most));
  try {
    const Promise& before = tuning_.promise;
    Tuning next;
    next.usual = tuning_.usual;
    // What was added is there already: Ctrl-C waits the moment that this takes.
    const InterruptsHeld held;
    const RecallEvaluator evaluator(evaluated(), queries, promised_neighbors, settings_.seed, threads);
    next.promise = measured(evaluator, before,
                            {before.is_requested ? least_requested : usual_ef,
                             std::max<std::size_t>(writing->live_count(), 1), before.target, halves, threads});
    writing.exclusively([&](Rows&) noexcept { std::swap(tuning_, next); });
  } catch (const std::bad_alloc&) {  // another time: what was measured before holds until then
  }
}

// Codes learned from other rows than those there are now may not tell these apart, and the graph was built by them.
bool Hnsw::refit(Records::Writing& writing, unsigned threads) {
  constexpr double bearable = CodeQuality().bearable;
  const std::size_t count = writing->count();
  if (!graph_.codes || settings_.code_width() || 2 * count < 3 * std::max(judged_over_, graph_.learned_over))
    return false;
  judged_over_ = count;
  const MetricSpace space = graph_.space(*writing);
  if (share_in_front(graph_.codes->encoder(), neighborhoods(space, {}, threads), writer_of(space), threads) >= bearable)
    return false;
  HnswGraph graph(settings_.degree());
  graph.codes = QuantizedRows::learn(space, std::nullopt, settings_.seed, threads);
  graph.learned_over = count;
  graph.neighbors.grow(count).commit();
  writing.exclusively([&](Rows&) noexcept { std::swap(graph_, graph); });
  link_new(writing, threads);
  return true;
}

}  // namespace lookalike
