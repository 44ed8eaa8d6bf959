// Splits lists that have grown too long.
//
// Lists are retrained only when the number of rows has quadrupled. In between, many new rows may fall into one list.
// Such a list is clustered by itself into lists of typical length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/ivf/lists.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// The arguments of IvfLists::changes_to_add: rows to insert, their lists, and the changes to apply first.
struct Insertions {
  std::vector<Row> rows;
  std::vector<std::uint32_t> labels;
  IvfLists::Changes pending;
};

/// Lists with more rows than this are split, given so many live rows.
std::size_t max_list_length(std::size_t live) noexcept;

/// Finds the lists that the insertions make too long. Empties each of them and adds its live rows to the insertions.
/// Returns these lists, ascending. Equal rows cannot be split, so a list that was too long before is included only if
/// its length has doubled.
std::vector<std::uint32_t> take_out_long_lists(const IvfLists& lists, const RowFilter* live, std::size_t live_count,
                                               Insertions& insertions);

/// Distributes the rows inserted into each of the `emptied` lists among this list and new ones of about typical length.
/// Also moves rows of nearby lists that are nearer to a new centroid. The result does not depend on the number of
/// threads. May throw Interrupted.
void split_lists(const IvfLists& lists, std::span<const std::uint32_t> emptied, const MetricSpace& space,
                 std::size_t live_count, std::uint64_t seed, unsigned threads, Insertions& insertions);

/// Whether most of the rows just split are in lists too tight for the shared frame, see Frame. The result does not
/// depend on the number of threads.
bool needs_own_frames(const IvfLists& lists, const MetricSpace& space, unsigned threads, const Insertions& insertions);

}  // namespace lookalike
