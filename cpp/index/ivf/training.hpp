// Training of an IVF index: clusters rows into lists and learns the encoder of their residuals.
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

/// Trained lists, still empty, and the list that each row belongs to.
struct TrainedLists {
  IvfLists lists;
  std::vector<std::uint32_t> labels;
};

/// The number of lists for so many rows.
std::size_t list_count(const IvfSettings& settings, std::size_t rows);
/// Limits the sample that principal directions and codes are learned from.
inline constexpr std::size_t max_training_rows = 2048;
/// The k-means sample per list, and the number of k-means iterations.
inline constexpr std::size_t sample_rows_per_list = 40, kmeans_iterations = 8;

/// Limits of the memory that training uses.
struct TrainingMemory {
  std::size_t sampled_floats = std::size_t{1} << 26;    // the k-means sample; a smaller one gives worse lists
  std::size_t projected_floats = std::size_t{1} << 23;  // the batch of rows that is assigned to lists at a time
};

/// Trains on `rows`, which are live and ascending and whose vectors are in `stored`. `frame`: if empty, it is chosen by
/// the rows. Throws Interrupted.
TrainedLists train_lists(const MetricSpace& space, std::span<const Row> rows, const IvfSettings& settings,
                         const VectorStore& stored, unsigned threads, const TrainingMemory& memory = {},
                         std::optional<Frame> frame = {});

/// A random sample of `count` rows, ascending; all rows if there are fewer.
std::vector<Row> sampled_rows(std::span<const Row> rows, std::size_t count, std::uint64_t seed);

}  // namespace lookalike
