// New neighbour lists for some nodes, computed while other threads read the graph.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "graph/adjacency.hpp"

namespace lookalike {

class EdgeUpdates {
 public:
  explicit EdgeUpdates(std::size_t degree) : degree_(degree) {}

  std::size_t size() const noexcept { return nodes_.size(); }
  std::span<const Row> nodes() const noexcept { return nodes_; }
  /// The neighbour slots of nodes()[i]. Unused ones hold the node itself, as in an Adjacency.
  std::span<Row> slots(std::size_t i) noexcept { return {ids_.data() + i * degree_, degree_}; }
  std::span<const Row> neighbors(std::size_t i) const noexcept {
    const Row* first = ids_.data() + i * degree_;
    std::size_t count = degree_;
    while (count > 0 && first[count - 1] == nodes_[i]) --count;
    return {first, count};
  }
  /// Appends nodes without neighbours.
  void add(std::span<const Row> nodes) {
    nodes_.insert(nodes_.end(), nodes.begin(), nodes.end());
    ids_.resize(nodes_.size() * degree_);
    for (std::size_t i = nodes_.size() - nodes.size(); i < nodes_.size(); ++i) set(i, {});
  }
  void set(std::size_t i, std::span<const Row> neighbors) {
    Row* out = ids_.data() + i * degree_;
    for (std::size_t j = 0; j < degree_; ++j) out[j] = j < neighbors.size() ? neighbors[j] : nodes_[i];
  }
  /// Writes updates [first, last) to the graph.
  void apply(std::size_t first, std::size_t last, Adjacency& graph) const {
    for (std::size_t i = first; i < last; ++i) graph.assign(nodes_[i], neighbors(i));
  }

 private:
  std::size_t degree_;
  std::vector<Row> nodes_, ids_;
};

}  // namespace lookalike
