// The adjacency lists of a graph: a fixed number of neighbour slots per node.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "base/array.hpp"
#include "base/errors.hpp"
#include "base/types.hpp"
#include "rows/extension.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Unused slots of a node hold the node itself. They always follow its neighbours.
class Adjacency {
 public:
  explicit Adjacency(std::size_t degree = 0) : degree_(degree) {}

  std::size_t degree() const noexcept { return degree_; }
  std::size_t nodes() const noexcept { return degree_ ? ids_.size() / degree_ : 0; }
  std::size_t bytes() const noexcept { return ids_.bytes_owned(); }
  bool is_mapped() const noexcept { return ids_.is_mapped(); }
  const Row* slots(Row node) const noexcept { return ids_.data() + std::size_t{node} * degree_; }
  std::span<const Row> neighbors(Row node) const noexcept {
    const Row* first = slots(node);
    std::size_t count = degree_;
    while (count > 0 && first[count - 1] == node) --count;
    return {first, count};
  }
  /// At most `degree` neighbours.
  void assign(Row node, std::span<const Row> neighbors) {
    Row* out = ids_.mutable_data() + std::size_t{node} * degree_;
    for (std::size_t i = 0; i < degree_; ++i) out[i] = i < neighbors.size() ? neighbors[i] : node;
  }
  /// Erases the neighbours of `node` for which `is_removed` holds. Cannot fail unless the graph is mapped.
  template <class Predicate>
  void erase_if(Row node, Predicate is_removed) {
    Row* first = ids_.mutable_data() + std::size_t{node} * degree_;
    std::fill(std::remove_if(first, first + neighbors(node).size(), is_removed), first + degree_, node);
  }
  /// Prepares `count` more nodes without neighbours while other threads read the present ones.
  Extension<Row> grow(std::size_t count) {
    const std::size_t before = nodes();
    Extension<Row> extension(ids_, count * degree_);
    Row* out = extension.data() + before * degree_;
    for (std::size_t i = 0; i < count * degree_; ++i) out[i] = static_cast<Row>(before + i / degree_);
    return extension;
  }
  void truncate(std::size_t nodes) { ids_.resize_for_overwrite(nodes * degree_); }

  void save(FileWriter& file) const { file.array<Row>("neighbors", ids_.span()); }
  /// Throws CorruptFile unless every node has `degree` neighbours among the nodes.
  static Adjacency load(const FileReader& file, std::size_t degree, std::size_t nodes) {
    Adjacency graph(degree);
    graph.ids_ = file.array<Row>("neighbors");
    if (graph.ids_.size() != nodes * degree) throw CorruptFile("section 'neighbors' does not hold one list per node");
    for (const Row id : graph.ids_)
      if (id >= nodes) throw CorruptFile("section 'neighbors' names a node that does not exist");
    return graph;
  }

 private:
  std::size_t degree_;
  Array<Row> ids_;
};

}  // namespace lookalike
