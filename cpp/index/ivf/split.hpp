// Lists that grow too long to be scanned beside the others, and the shorter ones that take their place.
//
// Lists are learned when an index has four times as many rows; what comes in between may all fall near one centroid.
// Such a list is clustered by itself, into lists as long as usual.
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

/// Rows that come into lists; see `IvfLists::with`.
struct Arrivals {
  std::vector<Row> rows;
  std::vector<std::uint32_t> labels;
  IvfLists::Changes before;
};

/// Longer lists are split where there are so many live rows.
std::size_t length_to_split(std::size_t live) noexcept;

/// Empties every list that gets too long by what arrives, of `live_count` live rows in all: its live rows arrive again.
/// Returns those lists, ascending. Equal rows stay together however many they are; so a list that was too long before
/// is among them only when it has doubled.
std::vector<std::uint32_t> empty_long_lists(const IvfLists& lists, const RowFilter* live, std::size_t live_count,
                                            Arrivals& arrivals);

/// Shares out what arrives in each of `emptied` among that list and new ones, about as long as usual, and has rows of
/// lists nearby arrive, too, where they lie nearer to a new one. The same for any number of threads. May throw
/// Interrupted.
void split_lists(const IvfLists& lists, std::span<const std::uint32_t> emptied, const MetricSpace& space,
                 std::size_t live_count, std::uint64_t seed, unsigned threads, Arrivals& arrivals);

/// Whether most of what was just split lies in lists too tight for how far they lie from where all others were learned,
/// see Frame. The same for any number of threads.
bool lie_apart(const IvfLists& lists, const MetricSpace& space, unsigned threads, const Arrivals& arrivals);

}  // namespace lookalike
