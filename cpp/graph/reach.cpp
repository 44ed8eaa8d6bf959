#include "graph/reach.hpp"

#include "select/row_filter.hpp"

namespace lookalike {

std::vector<Row> unreached(const Adjacency& graph, std::span<const Row> entries) {
  RowFilter reached(graph.nodes());
  std::vector<Row> found;
  const auto reach = [&](Row node) {
    if (reached.test(node)) return;
    reached.set(node);
    found.push_back(node);
  };
  for (const Row entry : entries) reach(entry);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const Row neighbor : graph.neighbors(found[i])) reach(neighbor);
  std::vector<Row> missing;
  for (std::size_t node = 0; node < graph.nodes(); ++node)
    if (!reached.test(static_cast<Row>(node))) missing.push_back(static_cast<Row>(node));
  return missing;
}

}  // namespace lookalike
