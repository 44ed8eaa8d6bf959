// The graph of an HNSW index and what walking it needs, beside the rows it stands for.
//
// One level: in more than some thirty dimensions the upper levels of Malkov and Yashunin [2018] only find a place to
// start from [Munyampirwa et al. 2024], which a few entries select_entries over the data do as well.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "distance/scorer.hpp"
#include "graph/adjacency.hpp"
#include "graph/node_metric.hpp"
#include "index/core/rows.hpp"
#include "quant/quantized_rows.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// A plain value under the index's locks. Row i is node i.
struct HnswGraph {
  explicit HnswGraph(std::size_t degree) : neighbors(degree) {}

  Adjacency neighbors;
  std::vector<Row> entries;
  std::optional<QuantizedRows> codes;   // none: the kept vectors are walked over
  std::size_t linked = 0;               // rows from here on are not found by walking
  std::size_t entries_chosen_over = 0;  // rows the entries were chosen among
  std::size_t learned_over = 0;         // rows the codes were chosen and learned from

  bool is_empty() const noexcept { return linked == 0; }
  std::size_t bytes() const noexcept;
  MetricSpace space(const Rows& rows) const noexcept;
  /// The distances from a row, which the graph is built by.
  Scorer from_row(const MetricSpace& space, Row row, ScorerScratch& scratch) const;
  /// The given rows only, in that order; their edges to other rows are gone.
  HnswGraph picked(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree.
  static HnswGraph load(const FileReader& file, std::size_t degree, const Rows& rows);
};

/// How a graph measures from its rows. Borrows both.
class GraphMetric {
 public:
  GraphMetric(const HnswGraph& graph, const Rows& rows) : graph_(graph), space_(graph.space(rows)) {}
  Scorer operator()(Row row, ScorerScratch& scratch) const { return graph_.from_row(space_, row, scratch); }
  NodeMetric node_metric() const {
    return {*this, space_.metric == Metric::ip ? 1 : tolerance};
  }  // products are no lengths

 private:
  /// Of squares. With more a search takes fewer steps and a build more time: on SIFT 1.1 takes a fifth more.
  static constexpr float tolerance = 1.075f;

  const HnswGraph& graph_;
  MetricSpace space_;
};

}  // namespace lookalike
