// Long batches, answered part by part, so that a writer, and the readers behind it, come in between.
#pragma once

#include <cstddef>

#include "base/function_ref.hpp"
#include "base/vectors_view.hpp"
#include "index/core/answer.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"

namespace lookalike {

/// Calls `search(part of the queries, part of the answer)` for `together` queries at a time, at least once. What
/// `search` writes is under the lock it takes; where ids change their kind in between, all is searched again.
void search_in_chunks(const VectorsView& queries, std::size_t k, std::size_t together, Answer& answer,
                      function_ref<void(const VectorsView&, Answer&)> search);

/// Everything within `radius` of each query: every row is measured. A filter holds for the rows it was made for, so
/// with one no writer comes in between. Throws InvalidArgument, DimensionMismatch.
RangeAnswer exact_range(const Records& records, const VectorsView& queries, float radius, const Where& where,
                        unsigned threads);

}  // namespace lookalike
