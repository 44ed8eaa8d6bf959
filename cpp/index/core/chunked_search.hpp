// Long batches of queries, searched in chunks so that writers need not wait for the whole batch.
#pragma once

#include <cstddef>

#include "base/function_ref.hpp"
#include "base/vectors_view.hpp"
#include "index/core/answer.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"

namespace lookalike {

/// Calls search(chunk of the queries, chunk of the answer) for `chunk_size` queries at a time, at least once. Each call
/// takes its own read lock. Starts over if the kind of ids changes between two calls.
void search_in_chunks(const VectorsView& queries, std::size_t k, std::size_t chunk_size, Answer& answer,
                      function_ref<void(const VectorsView&, Answer&)> search);

/// All rows within `radius` of each query, by brute force. Runs in chunks unless there is a filter, because a filter
/// refers to the present rows. Throws InvalidArgument, DimensionMismatch.
RangeAnswer exact_range(const Records& records, const VectorsView& queries, float radius, const Where& where,
                        unsigned threads);

}  // namespace lookalike
