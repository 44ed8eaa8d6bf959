// The graph of an HNSW index with its entry points and codes.
//
// The graph has one level. Above about thirty dimensions the upper levels of Malkov and Yashunin [2018] only provide an
// entry point [Munyampirwa et al. 2024]. A few entry points spread over the data (see select_entries) do the same.
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

/// A plain value that the locks of the index guard. Node i is row i.
struct HnswGraph {
  explicit HnswGraph(std::size_t degree) : neighbors(degree) {}

  Adjacency neighbors;
  std::vector<Row> entries;
  std::optional<QuantizedRows> codes;    // nullopt: searches measure the kept vectors
  std::size_t linked = 0;                // rows from here on are not in the graph yet
  std::size_t entries_chosen_among = 0;  // number of rows when the entries were chosen
  std::size_t codes_trained_on = 0;      // number of rows when the codes were trained

  bool is_empty() const noexcept { return linked == 0; }
  std::size_t bytes() const noexcept;
  MetricSpace space(const Rows& rows) const noexcept;
  /// Distances from a row, by codes if there are any. The graph is built by these.
  Scorer row_scorer(const MetricSpace& space, Row row, ScorerScratch& scratch) const;
  /// The graph of the given rows, in that order, without the edges to other rows.
  HnswGraph subset(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile if sizes contradict each other.
  static HnswGraph load(const FileReader& file, std::size_t degree, const Rows& rows);
};

/// Distances from the rows of a graph, for building it. Borrows both.
class GraphMetric {
 public:
  GraphMetric(const HnswGraph& graph, const Rows& rows) : graph_(graph), space_(graph.space(rows)) {}
  Scorer operator()(Row row, ScorerScratch& scratch) const { return graph_.row_scorer(space_, row, scratch); }
  /// No tolerance for inner products, because they are not distances.
  NodeMetric node_metric() const { return {*this, space_.metric == Metric::ip ? 1 : tolerance}; }

 private:
  /// For squared distances. A larger tolerance takes fewer hops per search but more build time: on SIFT, 1.1 takes a
  /// fifth more.
  static constexpr float tolerance = 1.075f;

  const HnswGraph& graph_;
  MetricSpace space_;
};

}  // namespace lookalike
