#include "graph/reach.hpp"

#include "topk/row_filter.hpp"

namespace lookalike {

namespace {

/// A walk to every node that can be reached.
class Flood {
 public:
  explicit Flood(const Adjacency& graph) : graph_(graph), reached_(graph.nodes()) {}

  bool has_reached(Row node) const { return reached_.test(node); }
  void reach_from(Row node) {
    found_.clear();
    reach(node);
    while (!found_.empty()) {
      const Row next = found_.back();
      found_.pop_back();
      for (const Row neighbor : graph_.neighbors(next)) reach(neighbor);
    }
  }

 private:
  void reach(Row node) {
    if (reached_.test(node)) return;
    reached_.set(node);
    found_.push_back(node);
  }

  const Adjacency& graph_;
  RowFilter reached_;
  std::vector<Row> found_;
};

}  // namespace

std::vector<Row> unreached(const Adjacency& graph, std::span<const Row> entries) {
  Flood flood(graph);
  for (const Row entry : entries) flood.reach_from(entry);
  std::vector<Row> missing;
  for (std::size_t node = 0; node < graph.nodes(); ++node)
    if (!flood.has_reached(static_cast<Row>(node))) missing.push_back(static_cast<Row>(node));
  return missing;
}

std::vector<Row> missing_entries(const Adjacency& graph, std::span<const Row> entries) {
  Flood flood(graph);
  for (const Row entry : entries) flood.reach_from(entry);
  std::vector<Row> missing;
  for (std::size_t node = 0; node < graph.nodes(); ++node) {
    if (flood.has_reached(static_cast<Row>(node))) continue;
    missing.push_back(static_cast<Row>(node));
    flood.reach_from(missing.back());
  }
  return missing;
}

}  // namespace lookalike
