// What an index hands back.
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

/// Where a search writes: queries x k of each. `ids` are the ids themselves or, for string ids, positions in `names`;
/// no_id where fewer than k were found, at distance infinity.
struct Answer {
  std::span<std::int64_t> ids;
  std::span<float> distances;
  IdKind kind = IdKind::none;
  Strings names;
};

/// Query i found what lies in [offsets[i], offsets[i + 1]), nearest first.
struct RangeAnswer {
  Array<std::int64_t> offsets;
  Array<std::int64_t> ids;
  Array<float> distances;
  IdKind kind = IdKind::none;
  Strings names;
};

/// Writes found[i * found_k + j] to column j of row i, for rows of k columns, and pads the rest.
void write_answer(std::span<const Neighbor> found, std::size_t found_k, std::size_t k, const IdMap& ids,
                  Answer& answer);

/// Adds the answers to further queries.
void append(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids, RangeAnswer& answer);

RangeAnswer range_answer(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids);

}  // namespace lookalike
