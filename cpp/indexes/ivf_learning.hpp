// How the lists of an IVF index are learned: a partition of the rows, and codes for what is left of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "codes/plane.hpp"
#include "codes/vector_store.hpp"
#include "indexes/ivf_lists.hpp"
#include "indexes/ivf_settings.hpp"

namespace lookalike {

/// Empty lists, and for each row the one it belongs to.
struct LearnedLists {
  IvfLists lists;
  std::vector<std::uint32_t> labels;
};

/// From rows, all of them live, whose vectors are kept in `kept`. Throws Interrupted.
LearnedLists learn_lists(const Plane& plane, std::span<const Row> rows, const IvfSettings& settings,
                         const VectorStore& kept, unsigned threads);

/// `plane`'s rows as points, dense.
std::vector<float> points_of(const Plane& plane, std::span<const Row> rows, unsigned threads);

}  // namespace lookalike
