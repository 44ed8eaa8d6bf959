// Computes distances from one prepared query to rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.hpp"
#include "linalg/byte_directions.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// Borrows the rows and the query. Smaller is nearer; a distance is a measured value plus `offset`.
struct Scorer {
  void (*gather)(const Scorer& scorer, const Row* picks, std::size_t count, float* out) noexcept = nullptr;
  const std::byte* rows = nullptr;
  std::size_t stride = 0;
  std::size_t dim = 0;
  const void* query = nullptr;
  float scale = 1, shift = 0;
  float offset = 0;
  const float* row_factors = nullptr;  // one per row, for cosine: inverse norms

  void measure(const Row* picks, std::size_t count, float* out) const noexcept { gather(*this, picks, count, out); }
};

/// Owns a scorer's prepared query; reused from query to query.
struct ScorerScratch {
  SignedBytes bytes;
  ProjectionScratch projection;
  std::vector<float> values, floats;
};

}  // namespace lookalike
