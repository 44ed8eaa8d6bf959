// The next state of a Flat index, prepared while others read the present one.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "indexes/flat.hpp"

namespace lookalike {

/// Whoever prepares one holds the writer's seat. Throws and changes nothing; `Flat::commit` puts it in place.
struct Flat::Change {
  /// New vectors under new ids.
  Change(Flat& index, const VectorsView& vectors, const IdsView& new_ids, unsigned threads);
  /// Vectors whose ids name `rows` replace those; where there is no_row they are new.
  Change(Flat& index, const VectorsView& vectors, const IdsView& given, const std::vector<Row>& rows, unsigned threads);

  VectorStore::Growth store;
  IdMap::Growth ids;
  std::optional<Extension<float>> norms;
  std::vector<Row> replaced;
  Array<std::byte> replacement;  // dense, one row for each of `replaced`
  std::vector<float> replacement_norms;
  double largest_norm = 0;  // of the vectors that come, for Metric::ip

 private:
  /// Everything the metric needs to know of the vectors that come.
  void measure(Flat& index, unsigned threads);
};

}  // namespace lookalike
