// Scalar quantization of vectors to short codes, and scorers that estimate distances from codes.
//
// A vector is centred, projected onto the leading principal directions, and rotated at random, so that all coordinates
// have similar magnitudes. Then its coordinates are quantized to 8, 4, 2 or 1 bits, with a step per vector [Aguerrebere
// et al. 2023 for the step; Gao and Long 2024 for one bit]. Of the component outside the projection only the norm is
// stored. Near neighbours differ less in that component than random pairs do: adding half its squared norm fits best.
//
// Scorers estimate squared L2 distances or, for formats with `inner_product`, -2 <x, q>, up to terms that are the same
// for all rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/types.hpp"
#include "distance/scorer.hpp"
#include "kernels/code_row.hpp"
#include "linalg/byte_directions.hpp"
#include "linalg/signed_bytes.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Bits per coordinate.
enum class CodeWidth : std::uint8_t { one = 1, two = 2, four = 4, eight = 8 };

/// The format of the codes of rows.
struct CodeFormat {
  CodeWidth width;
  std::size_t stride;                                          // bytes per row, a multiple of 64
  std::size_t dims = std::numeric_limits<std::size_t>::max();  // most coordinates to keep
  bool inner_product = false;                                  // estimate inner products, else squared L2
};

/// Prepares a projected query for the code kernels: the scale and shift that turn its inner products with codes into
/// distances, without the query's squared norm.
CodeQuery code_query(const SignedBytes& projected, CodeWidth width);

class Encoder {
 public:
  /// Trains on a sample, dense rows of `dim` floats.
  Encoder(std::span<const float> sample, std::size_t dim, const CodeFormat& format, std::uint64_t seed,
          unsigned threads);
  /// Takes a trained center and the leading principal directions: kept_dims() orthonormal rows, or none if all
  /// coordinates are kept.
  Encoder(std::vector<float> center, std::span<const float> leading, const CodeFormat& format, std::uint64_t seed,
          unsigned threads);

  std::size_t dim() const noexcept { return dim_; }
  std::size_t stride() const noexcept { return stride_; }
  CodeWidth width() const noexcept { return width_; }
  bool measures_inner_products() const noexcept { return is_inner_product_; }
  std::size_t bytes() const noexcept {
    return (center_.size() + directions_.size()) * sizeof(float) + byte_directions_.bytes();
  }
  /// Coordinates of a projection.
  std::size_t projected_dim() const noexcept { return projected_dim_; }
  /// Bytes of a row's codes, without the tail and padding.
  std::size_t code_bytes() const noexcept { return (projected_dim_ * static_cast<std::size_t>(width_) + 7) / 8; }
  /// Bytes of a vector in signed bytes, padded for `project`.
  std::size_t padded_dim() const noexcept { return byte_directions_.padded_dim(); }
  /// Floats that `project` writes per vector: projected_dim() and padding.
  std::size_t padded_projection_dim() const noexcept { return byte_directions_.padded_count(); }

  /// Coordinates that codes of rows of `dim` floats keep.
  static std::size_t kept_dims(std::size_t dim, const CodeFormat& format) {
    return std::min({dim, format.dims, max_dims(format.width, format.stride)});
  }
  /// Most coordinates that fit into `stride` bytes.
  static std::size_t max_dims(CodeWidth width, std::size_t stride) {
    return (stride - sizeof(CodeTail)) * 8 / static_cast<std::size_t>(width);
  }

  /// The stride of codes that hold all coordinates; 4,096 at most.
  static std::size_t full_dim_stride(CodeWidth width, std::size_t dim) {
    const std::size_t bytes = (dim * static_cast<std::size_t>(width) + 7) / 8 + sizeof(CodeTail);
    return bytes < 4096 ? (bytes + 63) / 64 * 64 : 4096;
  }

  /// The vector that is subtracted from every row.
  std::span<const float> center() const noexcept { return center_; }

  /// Encodes dense rows of `dim` floats, which are overwritten.
  void encode(std::span<float> rows, std::byte* out) const;
  /// Encodes rows that are already centred. Writes their projections too, unless `projections` is empty.
  void encode_centered(std::span<const float> rows, std::byte* out, std::span<float> projections = {}) const;
  /// The inner product of a decoded row and a vector, both in projected coordinates.
  double inner_product(const std::byte* code, const float* projected) const;
  /// Writes the decoded vector, dim() floats relative to the center. The component outside the projection is 0.
  void decode(const std::byte* code, float* out) const;
  /// The amount that a scorer adds to the squared distance to the decoded vector.
  float distance_offset(const std::byte* code) const;
  /// Increases the row's estimated squared distance to all queries by `square`.
  void add_distance_offset(std::byte* code, float square) const;
  /// Estimates distances from a query of `dim` floats to rows of codes.
  Scorer query_scorer(const float* values, const std::byte* rows, ScorerScratch& scratch) const;
  /// Estimates distances from one of the rows.
  Scorer row_scorer(Row row, const std::byte* rows, ScorerScratch& scratch) const;
  /// An encoder with the same directions and another code width, whose stride holds all projected coordinates.
  Encoder with_width(CodeWidth width) const;
  /// Projects a centred vector of dim() floats.
  void project(std::span<const float> centered, std::vector<float>& out) const;
  /// Projects centred vectors, each in padded_dim() signed bytes, to padded_projection_dim() floats each.
  void project(std::span<const SignedBytes* const> centered, ProjectionScratch& scratch, float* out) const {
    byte_directions_.project(centered, scratch, out);
  }

  void save(FileWriter& file) const;
  /// Throws CorruptFile if sizes do not agree.
  static Encoder load(const FileReader& file);

 private:
  Encoder() = default;
  /// The part of a row's distance that does not depend on the query.
  float bias_of(std::span<const float> centered, std::span<const float> projected) const;
  /// Sets the directions: a random rotation of `leading`, or of all coordinates if it is empty.
  void set_directions(std::span<const float> leading, std::uint64_t seed, unsigned threads);
  Scorer scorer(const std::byte* rows, const CodeQuery& query) const;
  std::size_t padded_query_size() const { return stride_ * 8 / static_cast<std::size_t>(width_); }

  std::size_t dim_, projected_dim_, stride_;
  CodeWidth width_;
  bool is_inner_product_ = false;
  std::vector<float> center_;
  std::vector<float> directions_;   // projected_dim_ rows of dim_
  ByteDirections byte_directions_;  // the same in bytes, for queries
};

}  // namespace lookalike
