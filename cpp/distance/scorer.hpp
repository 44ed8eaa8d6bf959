// One query, made ready to be measured against rows again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "linalg/byte_directions.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// Borrows the rows and the query. Smaller is nearer; what is measured lacks `origin` to be a distance.
struct Scorer {
  void (*gather)(const Scorer& scorer, const Row* picks, std::size_t count, float* out) noexcept = nullptr;
  const std::byte* rows = nullptr;
  std::size_t stride = 0;
  std::size_t dim = 0;
  const void* query = nullptr;
  float scale = 1, shift = 0;
  float origin = 0;
  const float* per_row = nullptr;  // what the metric keeps of every row

  void measure(const Row* picks, std::size_t count, float* out) const noexcept { gather(*this, picks, count, out); }
};

/// Where a scorer's query lives; reused from query to query.
struct ScorerScratch {
  SignedBytes bytes;
  ProjectionScratch projection;
  std::vector<float> values, scratch;
};

}  // namespace lookalike
