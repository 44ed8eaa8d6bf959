#include "graph/entry_selection.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/random.hpp"

namespace lookalike {

std::vector<Row> select_entries(const NodeMetric& metric, std::span<const Row> rows, std::size_t count,
                                std::uint64_t seed) {
  std::vector<Row> chosen;
  if (rows.empty()) return chosen;
  std::vector<float> nearest(rows.size(), std::numeric_limits<float>::max()), distances(rows.size());
  Random random(seed);
  ScorerScratch scratch;
  std::size_t next = random.next() % rows.size();
  while (chosen.size() < count) {
    chosen.push_back(rows[next]);
    const Scorer scorer = metric.from(rows[next], scratch);
    scorer.measure(rows.data(), rows.size(), distances.data());
    double total = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      nearest[i] = std::min(nearest[i], std::max(0.0f, distances[i] + scorer.offset));
      total += nearest[i];
    }
    nearest[next] = 0;
    if (!(total > 0)) break;  // the other rows equal chosen ones
    double draw = random.uniform() * total;
    std::size_t last = rows.size();
    for (std::size_t i = 0; i < rows.size() && draw >= 0; ++i) {
      if (!(nearest[i] > 0)) continue;
      last = i;
      draw -= nearest[i];
    }
    if (last == rows.size()) break;
    next = last;
  }
  return chosen;
}

}  // namespace lookalike
