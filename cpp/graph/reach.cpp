#include "graph/reach.hpp"

#include "topk/row_filter.hpp"

namespace lookalike {

namespace {

/// The nodes that a depth-first traversal has visited.
class ReachableNodes {
 public:
  explicit ReachableNodes(const Adjacency& graph) : graph_(graph), visited_(graph.nodes()) {}

  bool contains(Row node) const { return visited_.test(node); }
  void add_from(Row node) {
    stack_.clear();
    visit(node);
    while (!stack_.empty()) {
      const Row next = stack_.back();
      stack_.pop_back();
      for (const Row neighbor : graph_.neighbors(next)) visit(neighbor);
    }
  }

 private:
  void visit(Row node) {
    if (visited_.test(node)) return;
    visited_.set(node);
    stack_.push_back(node);
  }

  const Adjacency& graph_;
  RowFilter visited_;
  std::vector<Row> stack_;
};

}  // namespace

std::vector<Row> unreachable_nodes(const Adjacency& graph, std::span<const Row> entries) {
  ReachableNodes reachable(graph);
  for (const Row entry : entries) reachable.add_from(entry);
  std::vector<Row> unreachable;
  for (std::size_t node = 0; node < graph.nodes(); ++node)
    if (!reachable.contains(static_cast<Row>(node))) unreachable.push_back(static_cast<Row>(node));
  return unreachable;
}

std::vector<Row> missing_entries(const Adjacency& graph, std::span<const Row> entries) {
  ReachableNodes reachable(graph);
  for (const Row entry : entries) reachable.add_from(entry);
  std::vector<Row> added;
  for (std::size_t node = 0; node < graph.nodes(); ++node) {
    if (reachable.contains(static_cast<Row>(node))) continue;
    added.push_back(static_cast<Row>(node));
    reachable.add_from(added.back());
  }
  return added;
}

}  // namespace lookalike
