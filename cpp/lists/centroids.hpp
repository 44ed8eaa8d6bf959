// The centroids of inverted lists: which are near a query, and how near.
//
// All are told apart by a few bytes each (codes of their projection), the nearest ones again by a byte a coordinate; or
// all by floats, where bytes do not tell them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "lists/block_codes.hpp"
#include "lists/frame.hpp"
#include "lists/list_query.hpp"
#include "quant/encoder.hpp"
#include "topk/neighbor.hpp"

namespace lookalike {

/// What ranking needs, used again and again.
struct RankingScratch {
  ProjectionScratch projection;
  std::vector<const SignedBytes*> vectors;
  std::vector<float> projections, distances, sample;
  std::vector<Row> rows;
  std::vector<Neighbor> ranked;
};

/// In a shared frame a distance from a query lacks the square of the query's length here. Lists stand in for rows in
/// Neighbor.
class Centroids {
 public:
  /// Rows of encoder.dim() floats. The encoder's codes are of what is left of vectors when their centroid is
  /// subtracted and then its own centre: as if that moved every centroid. `middle`: what another one's was; else it is
  /// found.
  Centroids(std::vector<float> centroids, const Encoder& encoder, Frame frame, std::vector<float> middle = {});

  /// Puts each of some centroids, rows of floats, where the one of that number stands, or behind the last. Codes of
  /// other lists stay right.
  void put(std::span<const std::uint32_t> lists, std::span<const float> centroids, const Encoder& encoder);

  std::size_t count() const noexcept { return positions_.size() / dim_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t bytes() const noexcept;
  Frame frame() const noexcept { return frame_; }
  /// Bytes that ranking reads of all centroids.
  std::size_t scanned_bytes() const noexcept {
    return frame_ == Frame::own ? positions_.size() * sizeof(float) : blocks_.size();
  }

  /// As they were given.
  std::span<const float> positions() const noexcept { return positions_; }
  /// What they, and the codes of their lists, are told about: it never moves.
  std::span<const float> middle() const noexcept { return middle_; }
  /// Subtracts from a row the list's centroid and the encoder's centre.
  void subtract(std::size_t list, std::span<float> row, std::span<const float> center) const;
  /// What a code of the list's lacks to be a distance from a query (see `BlockKernel`, bias): twice the product with
  /// the centroid in a shared frame, nothing in one of its own.
  float bias_of(const Encoder& encoder, const std::byte* code, std::size_t list) const;

  /// Prepares a query: encoder.dim() floats.
  void prepare(const Encoder& encoder, const BlockForm& form, std::span<const float> point, ListQuery& query,
               RankingScratch& scratch) const;
  /// The same in two steps, of which the second takes less time for several queries together.
  void center(std::span<const float> point, const Encoder& encoder, ListQuery& query) const;
  void finish(const Encoder& encoder, const BlockForm& form, std::span<ListQuery* const> centered,
              RankingScratch& scratch) const;
  /// What all distances from a query lack.
  double lacking(const ListQuery& query) const;
  /// For lists with a frame of their own: a query against the codes of one list, into `aimed`, by what `finish` found.
  void prepare_for_list(const Encoder& encoder, const BlockForm& form, const ListQuery& query, std::size_t list,
                        ListQuery& aimed) const;
  /// The `count` lists nearest a query, nearly: all of them where count is so large. The `ordered` nearest stand first,
  /// nearest first, and the others behind them in no order.
  std::span<const Neighbor> rank(const ListQuery& query, std::size_t count, std::size_t ordered,
                                 RankingScratch& scratch) const;

 private:
  /// Those that may be among the nearest lists, into scratch.rows, and how far they are, into scratch.distances.
  void measure(const ListQuery& query, std::size_t count, RankingScratch& scratch) const;

  std::size_t dim_;
  Frame frame_;
  std::vector<float> positions_;
  std::vector<float> middle_;     // of those there were first, moved
  std::vector<float> projected_;  // centroids, moved, about the middle
  std::size_t projected_dim_;
  BlockForm form_;
  Array<std::byte> blocks_;  // 4 bits a projected coordinate; these and `bytes_` for a shared frame only
  std::size_t byte_stride_;
  Array<std::byte> bytes_;  // rows of 8 bits a coordinate, as KernelTable::dot_u8 takes them
};

}  // namespace lookalike
