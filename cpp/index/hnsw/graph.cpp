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

Scorer HnswGraph::from_row(const MetricSpace& space, Row row, ScorerScratch& scratch) const {
  return codes ? codes->from_row(row, scratch) : space.from_row(row, scratch);
}

HnswGraph HnswGraph::picked(std::span<const Row> rows) const {
  HnswGraph graph(neighbors.degree());
  const std::size_t before = neighbors.nodes();
  std::vector<Row> now(before, no_row);
  for (std::size_t i = 0; i < rows.size(); ++i) now[rows[i]] = static_cast<Row>(i);
  graph.neighbors.grow(rows.size()).commit();
  std::vector<Row> left;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    left.clear();
    for (const Row neighbor : neighbors.neighbors(rows[i]))
      if (now[neighbor] != no_row) left.push_back(now[neighbor]);
    graph.neighbors.assign(static_cast<Row>(i), left);
    if (rows[i] < linked) graph.linked = i + 1;
  }
  for (const Row entry : entries)
    if (now[entry] != no_row) graph.entries.push_back(now[entry]);
  if (codes) graph.codes = codes->picked(rows);
  graph.entries_chosen_over = entries_chosen_over;
  graph.learned_over = learned_over;
  return graph;
}

void HnswGraph::save(FileWriter& file) const {
  neighbors.save(file);
  file.array<Row>("entries", entries);
  // Older versions have an extra coordinate of every row here, for Metric::ip.
  file.array<float>("lifts", std::span<const float>());
  file.value<float>("lifted_length", 0);
  file.value<std::uint64_t>("linked", linked);
  file.value<std::uint64_t>("entries_spread_over", entries_chosen_over);
  file.value<std::uint64_t>("codes_learned_over", learned_over);
  file.value<std::uint8_t>("has_codes", codes.has_value());
  if (codes) codes->save(file);
}

HnswGraph HnswGraph::load(const FileReader& file, std::size_t degree, const Rows& rows) {
  HnswGraph graph(degree);
  graph.neighbors = Adjacency::load(file, degree, rows.count());
  const Array<Row> entries = file.array<Row>("entries");
  graph.entries.assign(entries.begin(), entries.end());
  graph.linked = file.value<std::uint64_t>("linked");
  graph.entries_chosen_over = file.value<std::uint64_t>("entries_spread_over");
  graph.learned_over = file.value<std::uint64_t>("codes_learned_over");
  if (graph.linked > rows.count() || (graph.linked > 0 && entries.empty())) {
    throw CorruptFile("sections 'linked' and 'entries' do not agree with the rows");
  }
  for (const Row entry : graph.entries)
    if (entry >= rows.count()) throw CorruptFile("section 'entries' names a row that is not there");
  if (file.value<std::uint8_t>("has_codes") != 0) {
    graph.codes = QuantizedRows::load(file, rows.count());
    // Under Metric::ip codes of old files have another coordinate and measure distances: the vectors kept are walked
    // over until codes are learned again.
    const bool is_old = rows.metric() == Metric::ip && !graph.codes->encoder().measures_products();
    if (graph.codes->encoder().dim() != graph.space(rows).point_dim() + is_old ||
        (graph.codes->encoder().measures_products() && rows.metric() != Metric::ip)) {
      throw CorruptFile("the codes are of vectors of another dim or metric");
    }
    if (is_old) {
      graph.codes.reset();
      graph.learned_over = 0;
    }
  }
  return graph;
}

}  // namespace lookalike
