// Lower-bound codes of rows, which prune exact search without changing its results.
//
// Rows are projected onto their leading principal directions, rotated at random so that all coordinates have similar
// magnitudes, clipped, and rounded to signed bytes. Projection and clipping never increase the distance of two vectors,
// and the rounding error of each is known. So for codes z and rounding errors r,
//
//     |x - q| >= step * (|z_x - z_q| - r_x - r_q)
//
// for all vectors x and q. A row whose lower bound exceeds the query's k-th distance so far is pruned.
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
  /// Encodes `rows`, each multiplied by its scale if `scales` is given (one per row, to unit vectors for cosine).
  /// Chooses the code length from the estimated costs on a sample; null if a search without codes costs no more.
  static std::shared_ptr<const RowBounds> build(const VectorsView& rows, const float* scales, unsigned threads);

  std::size_t dim() const noexcept { return dim_; }
  /// The codes of all rows, as vectors of Element::s8.
  VectorsView codes() const noexcept { return {codes_.data(), Element::s8, count_, dim_, dim_}; }
  std::size_t bytes() const noexcept { return codes_.bytes_owned(); }

  /// Writes the codes of queries and their rounding errors. Queries are row-major floats, which are overwritten; each
  /// is multiplied by its scale first.
  void encode(std::span<float> queries, std::span<const double> scales, unsigned threads, std::int8_t* codes,
              float* rounding_errors) const;
  /// An upper bound of |z_x - z_q|^2 for all rows x whose squared distance is at most `square`; never rounded down.
  float code_limit(double square, float query_rounding_error) const;

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
  double step_ = 1;             // quantization step of the codes
  double max_stretch_ = 1;      // most that projecting can increase a distance: directions are rounded
  double uncentered_norm_ = 0;  // norm of the center if it is subtracted after projecting, else 0
  float max_rounding_error_ = 0;
};

}  // namespace lookalike
