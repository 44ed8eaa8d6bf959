// How the lists of an IVF index are learned: a partition of the rows, and codes for what is left of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/ivf/lists.hpp"
#include "index/ivf/settings.hpp"
#include "quant/code_choice.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

/// Empty lists, and for each row the one it belongs to.
struct LearnedLists {
  IvfLists lists;
  std::vector<std::uint32_t> labels;
};

/// Lists that are made of so many rows.
std::size_t list_count(const IvfSettings& settings, std::size_t rows);
/// Rows that directions and codes are learned from, at most.
inline constexpr std::size_t most_learned = 2048;
/// Rows that a list is found from, and rounds of k-means.
inline constexpr std::size_t sampled_per_list = 40, list_iterations = 8;

/// What learning holds in memory at a time.
struct LearningRoom {
  std::size_t sampled_floats = std::size_t{1} << 26;    // that are clustered, at most: fewer find worse lists
  std::size_t projected_floats = std::size_t{1} << 23;  // on their way to their lists
};

/// From rows, ascending and all of them live, whose vectors are kept in `kept`. `frame`: where it is known which one
/// lists need; else the rows tell. Throws Interrupted.
LearnedLists learn_lists(const MetricSpace& space, std::span<const Row> rows, const IvfSettings& settings,
                         const VectorStore& kept, unsigned threads, const LearningRoom& room = {},
                         std::optional<Frame> frame = {});

/// `count` of the rows at random, ascending; all where they are fewer.
std::vector<Row> drawn(std::span<const Row> rows, std::size_t count, std::uint64_t seed);

}  // namespace lookalike
