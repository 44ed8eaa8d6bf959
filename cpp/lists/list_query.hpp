// One query, made ready to be measured against centroids and the codes of their lists.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/code_block.hpp"
#include "linalg/signed_bytes.hpp"

namespace lookalike {

/// Everything lies about the middle of the data, or about a list's centroid: see Frame.
struct ListQuery {
  SignedBytes bytes;                     // the whole query
  BlockQuery codes{}, centroid_codes{};  // its projection

  std::vector<float> centered;
  std::vector<float> whole, projection;  // the query as floats, where every list has a frame of its own
  SignedBytes scratch;
  std::vector<std::int32_t> words, centroid_words;
};

}  // namespace lookalike
