// Changes of the graph of an HNSW index: linking, relinking, compaction, reachability, training.
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

constexpr std::size_t min_rows_to_link = 512;  // fewer rows are searched exactly
constexpr std::size_t max_entries = 32, max_entry_candidates = 4096;
constexpr std::size_t max_batch_size = 1024;
constexpr std::size_t updates_per_lock = 64;  // nodes updated while readers wait

std::vector<Row> shuffled(Row first, Row end, std::uint64_t seed) {
  std::vector<Row> rows(end - first);
  std::iota(rows.begin(), rows.end(), first);
  Random random(seed);
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.next() % i]);
  return rows;
}

}  // namespace

void Hnsw::link_new(Records::Writer& writer, unsigned threads) {
  const std::size_t count = writer->count();
  if (count < min_rows_to_link || graph_.linked == count || has_extremes_ || are_underflowing_) return;
  const bool is_first = graph_.is_empty();
  has_extremes_ = is_first && !is_measurable(writer->store().view(), writer->metric(), threads);
  // Only a scan of all rows can tell, so the result is kept until a longer vector is added.
  are_underflowing_ = is_first && norm_range_of(writer->store().view(), writer->metric()) == NormRange::underflowing;
  if (has_extremes_ || are_underflowing_) return;
  train_codes(writer, threads);
  std::vector<Row> order = shuffled(static_cast<Row>(graph_.linked), static_cast<Row>(count), settings_.seed);
  if (is_first) {
    choose_entries(writer);
    // The entry points come first, because searches for the other rows start from them.
    const auto is_entry = [&](Row row) {
      return std::find(graph_.entries.begin(), graph_.entries.end(), row) != graph_.entries.end();
    };
    std::erase_if(order, is_entry);
    order.insert(order.begin(), graph_.entries.begin(), graph_.entries.end());
  }
  if (!is_first) edge_backup_ = EdgeBackup{RowFilter(graph_.linked), {}};
  try {
    std::size_t linked = graph_.linked;
    for (std::size_t at = 0; at < order.size();) {
      const std::size_t size = std::min({std::max<std::size_t>(linked, 1), max_batch_size, order.size() - at});
      link(writer, {order.data() + at, size}, threads, is_first ? std::max<std::size_t>(linked, 1) : max_entries);
      at += size;
      linked += size;
    }
    if (!is_first && 4 * count > 5 * graph_.entries_chosen_among) choose_entries(writer);
    check_reachability(writer, order.size(), threads);
  } catch (...) {  // old rows may have replaced near neighbours by rows that will be rolled back
    restore_edges(writer);
    throw;
  }
  writer.exclusively([&](Rows&) noexcept { graph_.linked = count; });
  edge_backup_.reset();
}

void Hnsw::link(Records::Writer& writer, std::span<const Row> rows, unsigned threads, std::size_t entry_count) {
  const GraphMetric metric(graph_, *writer);
  Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
  apply(writer,
        builder.link(rows, std::span<const Row>(graph_.entries).first(std::min(entry_count, graph_.entries.size()))));
}

void Hnsw::apply(Records::Writer& writer, const EdgeUpdates& updates) {
  if (graph_.neighbors.is_mapped()) {  // copies it now, not while readers wait
    Extension<Row> owned = graph_.neighbors.grow(0);
    writer.exclusively([&](Rows&) noexcept { owned.commit(); });
  }
  if (edge_backup_) back_up_edges(updates);
  for (std::size_t first = 0; first < updates.size(); first += updates_per_lock) {
    const std::size_t last = std::min(first + updates_per_lock, updates.size());
    writer.exclusively([&](Rows&) { updates.apply(first, last, graph_.neighbors); });
  }
}

void Hnsw::back_up_edges(const EdgeUpdates& updates) {
  std::vector<Row> nodes;
  for (const Row node : updates.nodes())
    if (node < graph_.linked && !edge_backup_->nodes.test(node)) nodes.push_back(node);
  EdgeUpdates neighbors(settings_.degree());
  neighbors.add(nodes);
  for (std::size_t i = 0; i < nodes.size(); ++i) neighbors.set(i, graph_.neighbors.neighbors(nodes[i]));
  edge_backup_->neighbors.push_back(std::move(neighbors));
  for (const Row node : nodes) edge_backup_->nodes.set(node);
}

void Hnsw::restore_edges(Records::Writer& writer) noexcept {
  if (!edge_backup_) return;
  for (const EdgeUpdates& neighbors : edge_backup_->neighbors) {
    for (std::size_t first = 0; first < neighbors.size(); first += updates_per_lock) {
      const std::size_t last = std::min(first + updates_per_lock, neighbors.size());
      writer.exclusively([&](Rows&) { neighbors.apply(first, last, graph_.neighbors); });
    }
  }
  edge_backup_.reset();
}

void Hnsw::train_codes(Records::Writer& writer, unsigned threads) {
  const std::size_t count = writer->count();
  std::optional<QuantizedRows> codes;
  if (settings_.uses_codes(writer->store())) {
    // Codes that were trained on few rows are trained again whenever the rows have quadrupled, up to the full sample.
    if (graph_.codes_trained_on >= QuantizedRows::max_training_rows || count < 4 * graph_.codes_trained_on) return;
    codes = QuantizedRows::train(graph_.space(*writer), settings_.code_width(), settings_.seed, threads);
  } else if (!graph_.codes) {
    return;
  }
  writer.exclusively([&](Rows&) noexcept {
    graph_.codes.swap(codes);
    graph_.codes_trained_on = count;
    tuning_.promise.expire();
  });
}

void Hnsw::choose_entries(Records::Writer& writer) {
  std::vector<Row> rows = shuffled(0, static_cast<Row>(writer->count()), settings_.seed + 1);
  std::erase_if(rows, [&](Row row) { return !writer->ids().is_live(row); });
  rows.resize(std::min(rows.size(), max_entry_candidates));
  if (rows.empty()) return;
  const GraphMetric metric(graph_, *writer);
  std::vector<Row> entries = select_entries(metric.node_metric(), rows, max_entries, settings_.seed);
  writer.exclusively([&](Rows&) noexcept {
    graph_.entries.swap(entries);
    graph_.entries_chosen_among = graph_.neighbors.nodes();
  });
}

void Hnsw::relink_replaced(Records::Writer& writer, std::vector<Row>& replaced, unsigned threads) {
  const std::size_t count = replaced.size();
  // Works in batches, so that rows without edges are soon linked again.
  while (!replaced.empty() && !graph_.is_empty()) {
    const std::size_t remaining = replaced.size() - std::min(max_batch_size, replaced.size());
    relink_batch(writer, std::span(replaced).subspan(remaining), threads);
    replaced.resize(remaining);
  }
  if (count > 0 && !graph_.is_empty()) check_reachability(writer, count, threads);
}

void Hnsw::relink_batch(Records::Writer& writer, std::span<const Row> replaced, unsigned threads) {
  const GraphMetric metric(graph_, *writer);
  // Removes the edges to replaced rows first. Their old neighbours get each other as candidates instead.
  RowFilter replaced_rows(writer->count());
  for (const Row row : replaced) replaced_rows.set(row);
  const auto is_replaced = [&](Row row) { return replaced_rows.test(row); };
  std::vector<Row> affected;
  for (const Row row : replaced)
    for (const Row neighbor : graph_.neighbors.neighbors(row))
      if (!is_replaced(neighbor)) affected.push_back(neighbor);
  std::sort(affected.begin(), affected.end());
  affected.erase(std::unique(affected.begin(), affected.end()), affected.end());
  std::erase_if(affected, [&](Row node) {
    const std::span<const Row> neighbors = graph_.neighbors.neighbors(node);
    return std::none_of(neighbors.begin(), neighbors.end(), is_replaced);
  });
  for (std::size_t at = 0; at < affected.size(); at += max_batch_size) {
    Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
    apply(writer, builder.consolidate_deletes(
                      std::span(affected).subspan(at, std::min(max_batch_size, affected.size() - at)), is_replaced));
  }
  link(writer, replaced, threads, max_entries);
}

// A check reads the whole graph, so it waits for enough changes. Inner products get fewer checks: pruning drops the
// edges to short rows again and again, and no query looks for them.
void Hnsw::check_reachability(Records::Writer& writer, std::size_t changed, unsigned threads) {
  constexpr std::size_t max_small_count = 4096;
  const bool is_ip = writer->metric() == Metric::ip;
  changed_since_check_ += changed;
  const std::size_t share = is_ip ? 2 : writer->count() > max_small_count ? 20 : 64;
  if (changed_since_check_ < writer->count() / share) return;
  repair_reachability(writer, threads);
  changed_since_check_ = 0;
}

void Hnsw::repair_reachability(Records::Writer& writer, unsigned threads) {
  const GraphMetric metric(graph_, *writer);
  constexpr int max_attempts = 3;
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    const std::vector<Row> unreachable = missing_entries(graph_.neighbors, graph_.entries);
    if (unreachable.empty()) return;
    Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
    apply(writer, builder.attach(unreachable, graph_.entries));
  }
  // An added edge may have replaced the only edge to another node. Nodes that stay unreachable become entry points.
  for (;;) {
    const std::vector<Row> unreachable = missing_entries(graph_.neighbors, graph_.entries);
    if (unreachable.empty()) return;
    std::vector<Row> entries = graph_.entries;
    entries.push_back(unreachable.front());
    writer.exclusively([&](Rows&) noexcept { graph_.entries.swap(entries); });
  }
}

void Hnsw::compact(Records::Writer& writer, unsigned threads) {
  const std::vector<Row> live = writer->ids().live_rows();
  if (live.size() == writer->count()) return;
  changed_since_check_ = writer->count();  // if this throws, the next change checks reachability
  if (!graph_.is_empty()) {                // consolidates deletes while readers continue
    const GraphMetric metric(graph_, *writer);
    const auto is_removed = [&](Row row) { return !writer->ids().is_live(row); };
    std::vector<Row> affected;
    for (const Row row : live) {
      const std::span<const Row> neighbors = graph_.neighbors.neighbors(row);
      if (std::any_of(neighbors.begin(), neighbors.end(), is_removed)) affected.push_back(row);
    }
    for (std::size_t at = 0; at < affected.size(); at += max_batch_size) {
      Builder builder(metric.node_metric(), graph_.neighbors, {settings_.ef_construction}, threads);
      apply(writer, builder.consolidate_deletes(
                        std::span(affected).subspan(at, std::min(max_batch_size, affected.size() - at)), is_removed));
    }
  }
  Rows kept = writer->subset(live);
  HnswGraph graph = graph_.subset(live);
  if (graph.entries.empty()) {  // later rows may be distributed differently, so codes are trained again
    graph.linked = graph.codes_trained_on = 0;
    graph.codes.reset();
  }
  has_extremes_ = false;  // link_new checks again
  writer.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    std::swap(graph_, graph);
    ++version_;
  });
  if (graph_.is_empty() && writer->count() >= min_rows_to_link) return link_new(writer, threads);
  if (graph_.is_empty()) return;
  if (graph_.entries.size() < max_entries / 2) choose_entries(writer);
  repair_reachability(writer, threads);
  changed_since_check_ = 0;
  keep_promise(writer, 0, threads);
}

void Hnsw::keep_promise(Records::Writer& writer, std::size_t changed, unsigned threads) {
  writer.exclusively([&](Rows&) noexcept { tuning_.promise.changed += changed; });
  if (graph_.is_empty() || !tuning_.promise.is_due()) return;
  measure_promise(writer, threads);
  if (tuning_.promise.effort > default_ef && retrain_if_stale(writer, threads)) measure_promise(writer, threads);
}

void Hnsw::measure_promise(Records::Writer& writer, unsigned threads) {
  // Uses fewer queries for long rows, so that exact search of them takes a few per cent of the time of linking.
  constexpr std::size_t query_byte_budget = 180000, min_queries = 48, max_queries = 256, changes_per_query = 16;
  constexpr std::size_t min_requested_ef = 16, growth_steps = 2;
  const std::size_t queries_in_budget = query_byte_budget / std::max<std::size_t>(writer->store().view().stride, 1);
  const std::size_t queries = tuning_.promise.queries_to_measure(
      writer->live_count(), changes_per_query, min_queries, std::clamp(queries_in_budget, min_queries, max_queries));
  try {
    const Promise& before = tuning_.promise;
    Tuning next;
    next.min_effort = tuning_.min_effort;
    // The rows are already added, so Ctrl-C waits for the short measurement.
    const InterruptsDisabled no_interrupts;
    // Searches for themselves need no ground truth, so more rows can be checked.
    const std::size_t self_queries = std::min(writer->live_count() / 8, max_queries);
    const RecallEvaluator evaluator(evaluated(), queries, promised_k, settings_.seed, threads, self_queries);
    next.promise = tune_promise(evaluator, before,
                                {before.is_requested ? min_requested_ef : default_ef,
                                 std::max<std::size_t>(writer->live_count(), 1), before.target, growth_steps, threads});
    writer.exclusively([&](Rows&) noexcept { std::swap(tuning_, next); });
  } catch (const std::bad_alloc&) {  // keeps the last promise; a later change measures again
  }
}

// Codes that were trained on differently distributed rows may not separate the present ones, and the graph was built by
// these codes.
bool Hnsw::retrain_if_stale(Records::Writer& writer, unsigned threads) {
  constexpr double min_recall = CodeQuality().min_recall;
  const std::size_t count = writer->count();
  if (!graph_.codes || settings_.code_width() ||
      2 * count < 3 * std::max(rows_at_last_code_check_, graph_.codes_trained_on))
    return false;
  rows_at_last_code_check_ = count;
  const MetricSpace space = graph_.space(*writer);
  if (neighbor_recall(graph_.codes->encoder(), sample_neighborhoods(space, {}, threads), point_writer(space),
                      threads) >= min_recall)
    return false;
  HnswGraph graph(settings_.degree());
  graph.codes = QuantizedRows::train(space, std::nullopt, settings_.seed, threads);
  graph.codes_trained_on = count;
  graph.neighbors.grow(count).commit();
  writer.exclusively([&](Rows&) noexcept { std::swap(graph_, graph); });
  link_new(writer, threads);
  return true;
}

}  // namespace lookalike
