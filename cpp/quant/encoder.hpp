// Vectors as a few bytes each that tell nearly how far they are.
//
// A vector is centred, projected onto the leading principal directions and rotated at random, so that every coordinate
// is as large as any other; its coordinates are rounded to 8, 4, 2 or 1 bits with a step of its own [Aguerrebere et al.
// 2023 for the step; Gao and Long 2024 for one bit]. Of what the projection leaves out only the length is known, and
// near neighbours differ there by less than strangers do: half its square is what fits best.
//
// Where products are wanted, what is measured is -2 <x, q> instead, but for what is the same for all rows.
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

/// Bits of a code.
enum class CodeWidth : std::uint8_t { one = 1, two = 2, four = 4, eight = 8 };

/// What rows of codes are.
struct CodeForm {
  CodeWidth width;
  std::size_t stride;                                          // bytes, a multiple of 64
  std::size_t dims = std::numeric_limits<std::size_t>::max();  // coordinates, at most
  bool products = false;                                       // are measured, else squared distances
};

/// A projected query against codes: the numbers that turn its products with them into distances, less the square of
/// its length.
CodeQuery code_query(const SignedBytes& projected, CodeWidth width);

class Encoder {
 public:
  /// Learns from a sample, dense rows of `dim` floats.
  Encoder(std::span<const float> sample, std::size_t dim, const CodeForm& form, std::uint64_t seed, unsigned threads);
  /// From what was learned: `center` is subtracted, and `leading` directions (orthonormal rows, none where all
  /// coordinates are kept) span what is kept.
  Encoder(std::vector<float> center, std::span<const float> leading, const CodeForm& form, std::uint64_t seed,
          unsigned threads);

  std::size_t dim() const noexcept { return dim_; }
  std::size_t stride() const noexcept { return stride_; }
  CodeWidth width() const noexcept { return width_; }
  bool measures_products() const noexcept { return products_; }
  std::size_t bytes() const noexcept {
    return (center_.size() + directions_.size()) * sizeof(float) + byte_directions_.bytes();
  }
  std::size_t projected() const noexcept { return projected_; }
  /// Bytes of a row that hold codes.
  std::size_t code_bytes() const noexcept { return (projected_ * static_cast<std::size_t>(width_) + 7) / 8; }
  /// Room that a vector in signed bytes needs to be projected.
  std::size_t byte_room() const noexcept { return byte_directions_.vector_room(); }
  /// Floats that a projected query takes: `projected()`, and some that mean nothing.
  std::size_t projection_room() const noexcept { return byte_directions_.room(); }

  /// Coordinates that rows of `dim` floats keep.
  static std::size_t kept(std::size_t dim, const CodeForm& form) {
    return std::min({dim, form.dims, room(form.width, form.stride)});
  }
  /// Most coordinates that `stride` bytes hold.
  static std::size_t room(CodeWidth width, std::size_t stride) {
    return (stride - sizeof(CodeTail)) * 8 / static_cast<std::size_t>(width);
  }

  /// The stride of codes that hold every coordinate, 4,096 at most.
  static std::size_t whole_stride(CodeWidth width, std::size_t dim) {
    const std::size_t bytes = (dim * static_cast<std::size_t>(width) + 7) / 8 + sizeof(CodeTail);
    return bytes < 4096 ? (bytes + 63) / 64 * 64 : 4096;
  }

  /// What is subtracted from every vector.
  std::span<const float> center() const noexcept { return center_; }

  /// Codes of dense rows of `dim` floats, which are overwritten.
  void encode(std::span<float> rows, std::byte* out) const;
  /// The same of rows that lie about the centre already; each row's projection follows in `projections`, unless that
  /// is empty.
  void encode_centered(std::span<const float> rows, std::byte* out, std::span<float> projections = {}) const;
  /// The product of what a row's code stands for and a projected vector.
  double product(const std::byte* code, const float* projected) const;
  /// Writes the vector, dim() floats about the centre, that a code stands for: as far as its directions tell.
  void decode(const std::byte* code, float* out) const;
  /// What is told of a row beyond what it is decoded to.
  float beyond(const std::byte* code) const;
  /// Makes a row's squared distance from everything larger by `square`.
  void lengthen(std::byte* code, float square) const;
  /// A query against rows of codes, of `dim` floats.
  Scorer from_query(const float* values, const std::byte* rows, ScorerScratch& scratch) const;
  /// The same of one of the rows.
  Scorer from_row(Row row, const std::byte* rows, ScorerScratch& scratch) const;
  /// The same directions, rounded to so many bits, without anything left out.
  Encoder in_width(CodeWidth width) const;
  /// The projection of a vector less some centre, `dim()` floats.
  void project(std::span<const float> centered, std::vector<float>& out) const;
  /// The projections of vectors less some centre, told in `byte_room()` signed bytes each: `projection_room()` floats
  /// each.
  void project(std::span<const SignedBytes* const> centered, ProjectionScratch& scratch, float* out) const {
    byte_directions_.project(centered, scratch, out);
  }

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree.
  static Encoder load(const FileReader& file);

 private:
  Encoder() = default;
  /// What a row's distance is, beside its product with the query.
  float bias_of(std::span<const float> centered, std::span<const float> projected) const;
  void rotate(std::span<const float> leading, std::uint64_t seed, unsigned threads);
  Scorer scorer(const std::byte* rows, const CodeQuery& query) const;
  std::size_t query_room() const { return stride_ * 8 / static_cast<std::size_t>(width_); }

  std::size_t dim_, projected_, stride_;
  CodeWidth width_;
  bool products_ = false;
  std::vector<float> center_;
  std::vector<float> directions_;   // projected_ rows of dim_
  ByteDirections byte_directions_;  // the same, for queries
};

}  // namespace lookalike
