#include "index/hnsw/graph.hpp"

#include <algorithm>

#include "base/errors.hpp"

namespace lookalike {

std::size_t HnswGraph::bytes() const noexcept {
  return neighbors.bytes() + (codes ? codes->bytes() : 0) + entries.size() * sizeof(Row);
}

MetricSpace HnswGraph::space(const Rows& rows) const noexcept {
  return {rows.store().view(), rows.metric(), rows.inverse_norms(), static_cast<float>(rows.largest_norm())};
}

Scorer HnswGraph::row_scorer(const MetricSpace& space, Row row, ScorerScratch& scratch) const {
  return codes ? codes->row_scorer(row, scratch) : space.row_scorer(row, scratch);
}

HnswGraph HnswGraph::subset(std::span<const Row> rows) const {
  HnswGraph graph(neighbors.degree());
  const std::size_t old_node_count = neighbors.nodes();
  std::vector<Row> new_row_of(old_node_count, no_row);
  for (std::size_t i = 0; i < rows.size(); ++i) new_row_of[rows[i]] = static_cast<Row>(i);
  graph.neighbors.grow(rows.size()).commit();
  std::vector<Row> kept_neighbors;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    kept_neighbors.clear();
    for (const Row neighbor : neighbors.neighbors(rows[i]))
      if (new_row_of[neighbor] != no_row) kept_neighbors.push_back(new_row_of[neighbor]);
    graph.neighbors.assign(static_cast<Row>(i), kept_neighbors);
    if (rows[i] < linked) graph.linked = i + 1;
  }
  for (const Row entry : entries)
    if (new_row_of[entry] != no_row) graph.entries.push_back(new_row_of[entry]);
  if (codes) graph.codes = codes->subset(rows);
  graph.entries_chosen_among = entries_chosen_among;
  graph.codes_trained_on = codes_trained_on;
  return graph;
}

void HnswGraph::save(FileWriter& file) const {
  neighbors.save(file);
  file.array<Row>("entries", entries);
  // Legacy sections: older versions stored the augmentation of every row for Metric::ip.
  file.array<float>("lifts", std::span<const float>());
  file.value<float>("lifted_length", 0);
  file.value<std::uint64_t>("linked", linked);
  file.value<std::uint64_t>("entries_spread_over", entries_chosen_among);
  file.value<std::uint64_t>("codes_learned_over", codes_trained_on);
  file.value<std::uint8_t>("has_codes", codes.has_value());
  if (codes) codes->save(file);
}

HnswGraph HnswGraph::load(const FileReader& file, std::size_t degree, const Rows& rows) {
  HnswGraph graph(degree);
  graph.neighbors = Adjacency::load(file, degree, rows.count());
  const Array<Row> entries = file.array<Row>("entries");
  graph.entries.assign(entries.begin(), entries.end());
  graph.linked = file.value<std::uint64_t>("linked");
  graph.entries_chosen_among = file.value<std::uint64_t>("entries_spread_over");
  graph.codes_trained_on = file.value<std::uint64_t>("codes_learned_over");
  if (graph.linked > rows.count() || (graph.linked > 0 && entries.empty())) {
    throw CorruptFile("sections 'linked' and 'entries' contradict the number of rows");
  }
  for (const Row entry : graph.entries)
    if (entry >= rows.count()) throw CorruptFile("section 'entries' names a row that does not exist");
  if (file.value<std::uint8_t>("has_codes") != 0) {
    graph.codes = QuantizedRows::load(file, rows.count());
    // For Metric::ip, codes of old files include the augmentation and measure distances instead of inner products. They
    // are dropped: searches measure the kept vectors until codes are trained again.
    const bool is_legacy = rows.metric() == Metric::ip && !graph.codes->encoder().measures_inner_products();
    if (graph.codes->encoder().dim() != graph.space(rows).point_dim() + is_legacy ||
        (graph.codes->encoder().measures_inner_products() && rows.metric() != Metric::ip)) {
      throw CorruptFile("the codes are for vectors of another dim or metric");
    }
    if (is_legacy) {
      graph.codes.reset();
      graph.codes_trained_on = 0;
    }
  }
  return graph;
}

}  // namespace lookalike
