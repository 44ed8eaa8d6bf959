#include "graph/builder.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Ties sort the newest row first, so that each of many equal rows links to those just before it. Otherwise all would
// link to the first few, which have too few slots to link back.
bool is_nearer(const Neighbor& a, const Neighbor& b) {
  return std::tie(a.distance, b.row) < std::tie(b.distance, a.row);
}

/// The position of each updated node in the EdgeUpdates.
using NodeIndex = std::unordered_map<Row, std::size_t>;

/// Adds incoming edges to nodes one by one; each sees the edges added before it.
class IncomingEdges {
 public:
  /// Copies the neighbours of further nodes from `graph` to `updates` when it first needs them.
  IncomingEdges(const Adjacency& graph, EdgeUpdates& updates, NodeIndex& node_index)
      : graph_(graph), updates_(updates), node_index_(node_index) {}

  bool has_room(Row row) { return neighbors(row).size() < graph_.degree(); }
  /// Adds an edge to `node` from the first candidate with a free slot. If none has one, starts at the first candidate
  /// and follows last neighbours until a node has one. Replacing the last neighbour itself would cut off that
  /// neighbour, which may have no other incoming edge.
  void add(Row node, std::span<const Row> candidates) {
    constexpr int max_steps = 32;
    const auto found = std::find_if(candidates.begin(), candidates.end(), [&](Row row) { return has_room(row); });
    Row anchor = found == candidates.end() ? candidates.front() : *found;
    for (int steps = 0; steps < max_steps && !has_room(anchor); ++steps) {
      const Row last = neighbors(anchor).back();
      if (last == node) break;  // `anchor` links to `node` already: writes the same edge again
      anchor = last;
    }
    const std::size_t at = index_of(anchor), count = std::as_const(updates_).neighbors(at).size();
    const std::span<Row> slots = updates_.slots(at);
    if (anchor != node) slots[std::min(count, slots.size() - 1)] = node;
  }
  /// The position of `row` in the updates, to which it is added if missing.
  std::size_t index_of(Row row) {
    const auto [entry, is_new] = node_index_.emplace(row, updates_.size());
    if (is_new) {
      updates_.add({&row, 1});
      updates_.set(entry->second, graph_.neighbors(row));
    }
    return entry->second;
  }

 private:
  std::span<const Row> neighbors(Row row) { return std::as_const(updates_).neighbors(index_of(row)); }

  const Adjacency& graph_;
  EdgeUpdates& updates_;
  NodeIndex& node_index_;
};

}  // namespace

Builder::Builder(const NodeMetric& metric, const Adjacency& graph, const BuildSettings& settings, unsigned threads)
    : metric_(metric),
      graph_(graph),
      settings_(settings),
      threads_(threads ? threads : available_threads()),
      workers_(threads_) {}

void Builder::add_measured(const Scorer& scorer, std::span<const Row> rows, Worker& worker) const {
  worker.distances.resize(rows.size());
  scorer.measure(rows.data(), rows.size(), worker.distances.data());
  for (std::size_t i = 0; i < rows.size(); ++i)
    worker.candidates.push_back({rows[i], worker.distances[i] + scorer.offset});
}

std::span<const Row> Builder::prune_candidates(const Scorer& scorer, Row node, std::size_t max_degree,
                                               Worker& worker) const {
  std::vector<Neighbor>& candidates = worker.candidates;
  std::sort(candidates.begin(), candidates.end(), is_nearer);
  const auto is_same = [](const Neighbor& a, const Neighbor& b) { return a.row == b.row; };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), is_same), candidates.end());
  // Copies of the node would prune one another. If only the nearest were kept, all copies would link to the same one.
  // Instead each links to the copies with the nearest row numbers, so that all copies are reachable from any of them.
  float own_distance = 0;
  scorer.measure(&node, 1, &own_distance);
  own_distance += scorer.offset;
  const auto is_copy = [&](const Neighbor& candidate) { return candidate.distance == own_distance; };
  const auto row_gap = [&](const Neighbor& copy) { return copy.row > node ? copy.row - node : node - copy.row; };
  const auto end = std::stable_partition(candidates.begin(), candidates.end(), is_copy);
  auto copies = static_cast<std::size_t>(end - candidates.begin());
  if (const std::size_t max_copies = max_degree / 4; copies > max_copies) {
    std::stable_sort(candidates.begin(), end,
                     [&](const Neighbor& a, const Neighbor& b) { return row_gap(a) < row_gap(b); });
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(max_copies), end);
    copies = max_copies;
  }
  return worker.pruner.prune(metric_, candidates, copies, max_degree);
}

void Builder::add_batch_candidates(const Scorer& scorer, Row node, std::span<const Row> batch, float limit,
                                   Worker& worker) const {
  worker.distances.resize(batch.size());
  scorer.measure(batch.data(), batch.size(), worker.distances.data());
  std::vector<Neighbor>& batch_candidates = worker.batch_candidates;
  batch_candidates.clear();
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (worker.distances[i] <= limit && batch[i] != node)
      batch_candidates.push_back({batch[i], worker.distances[i] + scorer.offset});
  const std::size_t max_count = settings_.ef_construction / 2;
  if (batch_candidates.size() > max_count) {
    std::nth_element(batch_candidates.begin(), batch_candidates.begin() + static_cast<std::ptrdiff_t>(max_count),
                     batch_candidates.end(), is_nearer);
    batch_candidates.resize(max_count);
  }
  worker.candidates.insert(worker.candidates.end(), batch_candidates.begin(), batch_candidates.end());
}

std::span<const Row> Builder::find_neighbors(Row node, std::span<const Row> batch, std::span<const Row> entries,
                                             Worker& worker) const {
  const Scorer scorer = metric_.from(node, worker.scorer_scratch);
  worker.candidates.clear();
  const std::span<const Neighbor> found = worker.search.search(scorer, graph_, entries, settings_.ef_construction);
  for (const Neighbor& candidate : found)
    if (candidate.row != node) worker.candidates.push_back({candidate.row, candidate.distance + scorer.offset});
  add_batch_candidates(scorer, node, batch, found.size() < settings_.ef_construction ? infinity : found.back().distance,
                       worker);
  add_measured(scorer, graph_.neighbors(node), worker);
  return prune_candidates(scorer, node, graph_.degree(), worker);
}

std::span<const Row> Builder::merge_reverse_edges(Row node, std::span<const Row> current, std::span<const Edge> edges,
                                                  Worker& worker) const {
  worker.rows.assign(current.begin(), current.end());
  for (const Edge& edge : edges)
    if (std::find(current.begin(), current.end(), edge.from) == current.end()) worker.rows.push_back(edge.from);
  if (worker.rows.size() <= graph_.degree()) return worker.rows;
  worker.candidates.clear();
  const Scorer scorer = metric_.from(node, worker.scorer_scratch);
  add_measured(scorer, worker.rows, worker);
  // Prunes to less than the full degree, or the next edge would require pruning again.
  return prune_candidates(scorer, node, graph_.degree() - graph_.degree() / 6, worker);
}

EdgeUpdates Builder::link(std::span<const Row> nodes, std::span<const Row> entries) {
  EdgeUpdates updates(graph_.degree());
  updates.add(nodes);
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned worker) {
    updates.set(i, find_neighbors(nodes[i], nodes, entries, workers_[worker]));
  });

  std::vector<Edge> edges;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const Row to : std::as_const(updates).neighbors(i)) edges.push_back({to, nodes[i]});
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return std::tie(a.to, a.from) < std::tie(b.to, b.from); });

  // Reverse edges, grouped by the node that they start from. That node is one of the batch or another node of the
  // graph.
  NodeIndex node_index;
  for (std::size_t i = 0; i < nodes.size(); ++i) node_index.emplace(nodes[i], i);
  std::vector<std::size_t> starts, targets;
  std::vector<Row> other_nodes;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (i > 0 && edges[i].to == edges[i - 1].to) continue;
    starts.push_back(i);
    const auto [entry, is_new] = node_index.emplace(edges[i].to, nodes.size() + other_nodes.size());
    targets.push_back(entry->second);
    if (is_new) other_nodes.push_back(edges[i].to);
  }
  starts.push_back(edges.size());
  updates.add(other_nodes);
  constexpr std::size_t groups_per_task = 16;
  const std::size_t group_count = targets.size();
  parallel_for((group_count + groups_per_task - 1) / groups_per_task, threads_, [&](std::size_t task, unsigned worker) {
    for (std::size_t g = task * groups_per_task; g < std::min(group_count, (task + 1) * groups_per_task); ++g) {
      const std::span<const Edge> group = {edges.data() + starts[g], starts[g + 1] - starts[g]};
      const Row node = group.front().to;
      const std::span<const Row> current =
          targets[g] < nodes.size() ? std::as_const(updates).neighbors(targets[g]) : graph_.neighbors(node);
      updates.set(targets[g], merge_reverse_edges(node, current, group, workers_[worker]));
    }
  });
  restore_incoming_edges(nodes, node_index, updates);
  return updates;
}

void Builder::restore_incoming_edges(std::span<const Row> nodes, std::unordered_map<Row, std::size_t>& node_index,
                                     EdgeUpdates& updates) const {
  const EdgeUpdates& updated = updates;
  std::vector<std::uint8_t> is_linked(nodes.size());
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned) {
    const auto links_back = [&](Row node) {
      const std::span<const Row> targets = updated.neighbors(node_index.at(node));
      return std::find(targets.begin(), targets.end(), nodes[i]) != targets.end();
    };
    const std::span<const Row> neighbors = updated.neighbors(i);
    is_linked[i] = std::any_of(neighbors.begin(), neighbors.end(), links_back);
  });
  IncomingEdges incoming_edges(graph_, updates, node_index);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_linked[i]) continue;
    std::vector<Row> candidates;  // the neighbours that are linked themselves
    for (const Row node : updated.neighbors(i))
      if (const std::size_t at = node_index.at(node); at >= nodes.size() || is_linked[at]) candidates.push_back(node);
    if (!candidates.empty()) incoming_edges.add(nodes[i], candidates);
  }
}

EdgeUpdates Builder::consolidate_deletes(std::span<const Row> nodes, function_ref<bool(Row)> is_removed) {
  EdgeUpdates updates(graph_.degree());
  updates.add(nodes);
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned index) {
    Worker& worker = workers_[index];
    worker.rows.clear();
    const auto add_candidate = [&](Row row) {
      if (row != nodes[i] && !is_removed(row)) worker.rows.push_back(row);
    };
    for (const Row neighbor : graph_.neighbors(nodes[i])) {
      add_candidate(neighbor);
      if (is_removed(neighbor))
        for (const Row two_hops : graph_.neighbors(neighbor)) add_candidate(two_hops);
    }
    worker.candidates.clear();
    std::sort(worker.rows.begin(), worker.rows.end());
    worker.rows.erase(std::unique(worker.rows.begin(), worker.rows.end()), worker.rows.end());
    const Scorer scorer = metric_.from(nodes[i], worker.scorer_scratch);
    add_measured(scorer, worker.rows, worker);
    updates.set(i, prune_candidates(scorer, nodes[i], graph_.degree(), worker));
  });
  return updates;
}

EdgeUpdates Builder::attach(std::span<const Row> nodes, std::span<const Row> entries) {
  EdgeUpdates updates(graph_.degree());
  NodeIndex node_index;
  IncomingEdges incoming_edges(graph_, updates, node_index);
  Worker& worker = workers_[0];
  std::vector<Row> candidates;
  for (const Row node : nodes) {
    candidates.clear();
    const Scorer scorer = metric_.from(node, worker.scorer_scratch);
    for (const Neighbor& found : worker.search.search(scorer, graph_, entries, settings_.ef_construction)) {
      if (found.row == node) continue;
      candidates.push_back(found.row);
      if (incoming_edges.has_room(found.row)) break;
    }
    if (candidates.empty()) continue;
    incoming_edges.add(node, candidates);
  }
  return updates;
}

}  // namespace lookalike
