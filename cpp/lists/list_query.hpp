// One query, prepared for estimating distances to centroids and to the codes of their lists.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/code_block.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// Values are relative to the origin of the centroids, or to a list's centroid: see Frame.
struct ListQuery {
  BlockQuery block_query{};           // projected, for the codes of lists
  BlockQuery centroid_block_query{};  // projected, for the codes of centroids; Frame::shared only

  std::vector<float> centered;  // minus the origin
  SignedBytes quantized;        // `centered` in bytes; Frame::shared only
  // Frame::per_list only: the query minus the encoder's center, its projection, and its projected residual.
  std::vector<float> shifted, projection, residual;

  SignedBytes quantized_projection;
  std::vector<std::int32_t> block_words, centroid_block_words;  // what the block queries point into
};

}  // namespace lookalike
