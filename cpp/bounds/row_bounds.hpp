// A short signed-byte code of every row that can prove, but never disprove, that the row is far.
//
// Rows are projected onto their leading principal directions, rotated at random so that every coordinate is as large as
// any other, clipped and rounded to a byte. Projecting and clipping bring two vectors closer, never further apart, and
// rounding moves each by a known amount, so with z the codes and r the roundings
//
//     |x - q| >= step * (|z_x - z_q| - r_x - r_q),
//
// whatever the data. Rows beyond a query's k-th distance by this bound need not be measured: the answer stays exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/vectors_view.hpp"

namespace lookalike {

class RowBounds {
 public:
  /// Sketches `rows`, each scaled by `scales` where given (one a row; unit vectors for cosine). Chooses the length by
  /// measuring on a sample what measuring the survivors would cost; null where a plain search is as good.
  static std::shared_ptr<const RowBounds> build(const VectorsView& rows, const float* scales, unsigned threads);

  std::size_t dim() const noexcept { return dim_; }
  /// The codes: as many rows of Element::s8 as were sketched.
  VectorsView codes() const noexcept { return {codes_.data(), Element::s8, count_, dim_, dim_}; }
  std::size_t bytes() const noexcept { return codes_.bytes_owned(); }

  /// Writes the codes of queries (row-major floats, overwritten), each multiplied by its scale first, and what
  /// rounding moved each by.
  void encode(std::span<float> queries, std::span<const double> scales, unsigned threads, std::int8_t* codes,
              float* roundings) const;
  /// What |z_x - z_q|^2 is at most if the squared distance is at most `square`; never rounded down.
  float code_limit(double square, float query_rounding) const;

 private:
  RowBounds(std::vector<float> directions, std::vector<float> center, std::size_t vector_dim);
  void encode_rows(const VectorsView& rows, const float* scales, unsigned threads);

  std::vector<float> directions_;  // dim_ rows of vector_dim_
  std::vector<float> center_;
  std::vector<float> offsets_;  // <direction, center>
  std::size_t vector_dim_;
  std::size_t dim_;
  std::size_t count_ = 0;
  Array<std::byte> codes_;
  double step_ = 1;             // one unit of a code
  double stretch_ = 1;          // at most this much further apart: the directions are orthonormal only to rounding
  double uncentered_norm_ = 0;  // of the centre, where vectors are scaled before it is subtracted
  float largest_rounding_ = 0;
};

}  // namespace lookalike
