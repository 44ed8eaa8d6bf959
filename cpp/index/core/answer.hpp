// The results of an index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/types.hpp"
#include "rows/id_map.hpp"
#include "rows/strings.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// Copies of stored vectors, dense.
struct OwnedVectors {
  Element element = Element::f32;
  std::size_t count = 0;
  std::size_t dim = 0;
  Array<std::byte> bytes;
};

struct OwnedIds {
  IdKind kind = IdKind::none;
  Array<std::int64_t> integers;
  Strings strings;
};

/// The output of a search: queries x k ids and distances. For string ids, `ids` holds positions in `names`. Where fewer
/// than k rows were found, the rest is no_id at distance infinity.
struct Answer {
  std::span<std::int64_t> ids;
  std::span<float> distances;
  IdKind kind = IdKind::none;
  Strings names;
};

/// The results of query i lie in [offsets[i], offsets[i + 1]), nearest first.
struct RangeAnswer {
  Array<std::int64_t> offsets;
  Array<std::int64_t> ids;
  Array<float> distances;
  IdKind kind = IdKind::none;
  Strings names;
};

/// Writes neighbour j of query i, found[i * found_k + j], to answer.ids[i * k + j], and pads the rest.
void write_answer(std::span<const Neighbor> found, std::size_t found_k, std::size_t k, const IdMap& ids,
                  Answer& answer);

/// Appends the results of further queries.
void append(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids, RangeAnswer& answer);

/// The same for all queries at once.
RangeAnswer range_answer(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids);

}  // namespace lookalike
