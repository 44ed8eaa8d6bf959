#include "graph/builder.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Of rows equally far the latest come first: so equal rows are linked each to those just before it, not all to the
// first few, which could not know them all.
bool is_nearer(const Neighbor& a, const Neighbor& b) {
  return std::tie(a.distance, b.row) < std::tie(b.distance, a.row);
}

using Places = std::unordered_map<Row, std::size_t>;

/// Hangs nodes on others, one after the other: two may hang on the same one.
class Hooks {
 public:
  /// `place`: of every node in the rewiring, which nodes of `graph` are brought into as they are needed.
  Hooks(const Adjacency& graph, EdgeUpdates& rewiring, Places& place)
      : graph_(graph), rewiring_(rewiring), place_(place) {}

  bool has_room(Row row) { return neighbors(row).size() < graph_.degree(); }
  /// On the first of `near` that has room; else on the last neighbour of the first of them, or that one's, and so on:
  /// what hangs there has few neighbours of its own, and whoever took its place would shut it out.
  void hang(Row node, std::span<const Row> near) {
    constexpr int farthest = 32;
    const auto found = std::find_if(near.begin(), near.end(), [&](Row row) { return has_room(row); });
    Row on = found == near.end() ? near.front() : *found;
    for (int steps = 0; steps < farthest && !has_room(on); ++steps) {
      const Row last = neighbors(on).back();
      if (last == node) break;  // then it has to go, in favour of itself
      on = last;
    }
    const std::size_t at = bring(on), held = std::as_const(rewiring_).neighbors(at).size();
    const std::span<Row> room = rewiring_.room(at);
    if (on != node) room[std::min(held, room.size() - 1)] = node;
  }
  std::size_t bring(Row row) {
    const auto [known, is_new] = place_.emplace(row, rewiring_.size());
    if (is_new) {
      rewiring_.add({&row, 1});
      rewiring_.set(known->second, graph_.neighbors(row));
    }
    return known->second;
  }

 private:
  std::span<const Row> neighbors(Row row) { return std::as_const(rewiring_).neighbors(bring(row)); }

  const Adjacency& graph_;
  EdgeUpdates& rewiring_;
  Places& place_;
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
    worker.candidates.push_back({rows[i], worker.distances[i] + scorer.origin});
}

std::span<const Row> Builder::choose(const Scorer& scorer, Row node, std::size_t most, Worker& worker) const {
  std::vector<Neighbor>& candidates = worker.candidates;
  std::sort(candidates.begin(), candidates.end(), is_nearer);
  const auto is_same = [](const Neighbor& a, const Neighbor& b) { return a.row == b.row; };
  candidates.erase(std::unique(candidates.begin(), candidates.end(), is_same), candidates.end());
  // Copies of the node rule one another out, and were only the nearest kept, all would know the same one. So each knows
  // those that came shortly before and after it: however many copies there are, all are reached from any of them.
  float own = 0;
  scorer.measure(&node, 1, &own);
  own += scorer.origin;
  const auto is_copy = [&](const Neighbor& candidate) { return candidate.distance == own; };
  const auto apart = [&](const Neighbor& copy) { return copy.row > node ? copy.row - node : node - copy.row; };
  const auto end = std::stable_partition(candidates.begin(), candidates.end(), is_copy);
  auto copies = static_cast<std::size_t>(end - candidates.begin());
  if (const std::size_t most_copies = most / 4; copies > most_copies) {
    std::stable_sort(candidates.begin(), end,
                     [&](const Neighbor& a, const Neighbor& b) { return apart(a) < apart(b); });
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(most_copies), end);
    copies = most_copies;
  }
  return worker.pruner.prune(metric_, candidates, copies, most);
}

void Builder::add_mates(const Scorer& scorer, Row node, std::span<const Row> batch, float limit, Worker& worker) const {
  worker.distances.resize(batch.size());
  scorer.measure(batch.data(), batch.size(), worker.distances.data());
  std::vector<Neighbor>& mates = worker.mates;
  mates.clear();
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (worker.distances[i] <= limit && batch[i] != node)
      mates.push_back({batch[i], worker.distances[i] + scorer.origin});
  const std::size_t most = settings_.width / 2;
  if (mates.size() > most) {
    std::nth_element(mates.begin(), mates.begin() + static_cast<std::ptrdiff_t>(most), mates.end(), is_nearer);
    mates.resize(most);
  }
  worker.candidates.insert(worker.candidates.end(), mates.begin(), mates.end());
}

std::span<const Row> Builder::find_neighbors(Row node, std::span<const Row> batch, std::span<const Row> entries,
                                             Worker& worker) const {
  const Scorer scorer = metric_.from(node, worker.scorer_scratch);
  worker.candidates.clear();
  const std::span<const Neighbor> walked = worker.search.search(scorer, graph_, entries, settings_.width);
  for (const Neighbor& found : walked)
    if (found.row != node) worker.candidates.push_back({found.row, found.distance + scorer.origin});
  add_mates(scorer, node, batch, walked.size() < settings_.width ? infinity : walked.back().distance, worker);
  add_measured(scorer, graph_.neighbors(node), worker);
  return choose(scorer, node, graph_.degree(), worker);
}

std::span<const Row> Builder::join(Row node, std::span<const Row> old, std::span<const Edge> edges,
                                   Worker& worker) const {
  worker.rows.assign(old.begin(), old.end());
  for (const Edge& edge : edges)
    if (std::find(old.begin(), old.end(), edge.from) == old.end()) worker.rows.push_back(edge.from);
  if (worker.rows.size() <= graph_.degree()) return worker.rows;
  worker.candidates.clear();
  const Scorer scorer = metric_.from(node, worker.scorer_scratch);
  add_measured(scorer, worker.rows, worker);
  // Pruned a little below what there is room for, or the next edge would have it pruned again.
  return choose(scorer, node, graph_.degree() - graph_.degree() / 6, worker);
}

EdgeUpdates Builder::link(std::span<const Row> nodes, std::span<const Row> entries) {
  EdgeUpdates rewiring(graph_.degree());
  rewiring.add(nodes);
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned worker) {
    rewiring.set(i, find_neighbors(nodes[i], nodes, entries, workers_[worker]));
  });

  std::vector<Edge> edges;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const Row to : std::as_const(rewiring).neighbors(i)) edges.push_back({to, nodes[i]});
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return std::tie(a.to, a.from) < std::tie(b.to, b.from); });

  // A node of the batch that another one found is joined where the batch put it.
  Places place;  // in the rewiring
  for (std::size_t i = 0; i < nodes.size(); ++i) place.emplace(nodes[i], i);
  std::vector<std::size_t> starts, places;
  std::vector<Row> others;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (i > 0 && edges[i].to == edges[i - 1].to) continue;
    starts.push_back(i);
    const auto [known, is_other] = place.emplace(edges[i].to, nodes.size() + others.size());
    places.push_back(known->second);
    if (is_other) others.push_back(edges[i].to);
  }
  starts.push_back(edges.size());
  rewiring.add(others);
  constexpr std::size_t together = 16;
  parallel_for((places.size() + together - 1) / together, threads_, [&](std::size_t task, unsigned worker) {
    for (std::size_t g = task * together; g < std::min(places.size(), (task + 1) * together); ++g) {
      const Row node = edges[starts[g]].to;
      const std::span<const Row> old =
          places[g] < nodes.size() ? std::as_const(rewiring).neighbors(places[g]) : graph_.neighbors(node);
      rewiring.set(places[g], join(node, old, {edges.data() + starts[g], starts[g + 1] - starts[g]}, workers_[worker]));
    }
  });
  hold(nodes, place, rewiring);
  return rewiring;
}

void Builder::hold(std::span<const Row> nodes, std::unordered_map<Row, std::size_t>& place,
                   EdgeUpdates& rewiring) const {
  const EdgeUpdates& now = rewiring;
  std::vector<std::uint8_t> is_held(nodes.size());
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned) {
    const auto holds = [&](Row node) {
      const std::span<const Row> known = now.neighbors(place.at(node));
      return std::find(known.begin(), known.end(), nodes[i]) != known.end();
    };
    const std::span<const Row> neighbors = now.neighbors(i);
    is_held[i] = std::any_of(neighbors.begin(), neighbors.end(), holds);
  });
  Hooks hooks(graph_, rewiring, place);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_held[i]) continue;
    std::vector<Row> near;  // those that are held themselves
    for (const Row node : now.neighbors(i))
      if (const std::size_t at = place.at(node); at >= nodes.size() || is_held[at]) near.push_back(node);
    if (!near.empty()) hooks.hang(nodes[i], near);
  }
}

EdgeUpdates Builder::consolidate_deletes(std::span<const Row> nodes, function_ref<bool(Row)> is_gone) {
  EdgeUpdates rewiring(graph_.degree());
  rewiring.add(nodes);
  parallel_for(nodes.size(), threads_, [&](std::size_t i, unsigned index) {
    Worker& worker = workers_[index];
    worker.rows.clear();
    const auto keep = [&](Row row) {
      if (row != nodes[i] && !is_gone(row)) worker.rows.push_back(row);
    };
    for (const Row neighbor : graph_.neighbors(nodes[i])) {
      keep(neighbor);
      if (is_gone(neighbor))
        for (const Row behind : graph_.neighbors(neighbor)) keep(behind);
    }
    worker.candidates.clear();
    std::sort(worker.rows.begin(), worker.rows.end());
    worker.rows.erase(std::unique(worker.rows.begin(), worker.rows.end()), worker.rows.end());
    const Scorer scorer = metric_.from(nodes[i], worker.scorer_scratch);
    add_measured(scorer, worker.rows, worker);
    rewiring.set(i, choose(scorer, nodes[i], graph_.degree(), worker));
  });
  return rewiring;
}

EdgeUpdates Builder::attach(std::span<const Row> nodes, std::span<const Row> entries) {
  EdgeUpdates rewiring(graph_.degree());
  Places place;
  Hooks hooks(graph_, rewiring, place);
  Worker& worker = workers_[0];
  std::vector<Row> near;
  for (const Row node : nodes) {
    near.clear();
    const Scorer scorer = metric_.from(node, worker.scorer_scratch);
    for (const Neighbor& found : worker.search.search(scorer, graph_, entries, settings_.width)) {
      if (found.row == node) continue;
      near.push_back(found.row);
      if (hooks.has_room(found.row)) break;
    }
    if (near.empty()) continue;
    hooks.hang(node, near);
  }
  return rewiring;
}

}  // namespace lookalike
