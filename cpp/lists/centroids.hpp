// The coarse quantizer: ranks the centroids of inverted lists by their distance to a query.
//
// In a shared frame, 4-bit codes of projected centroids select candidates, which 8-bit values then rank. With a frame
// per list, all centroids are ranked by floats, because bytes are too coarse.
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

/// Buffers for ranking, reused between queries.
struct RankingScratch {
  ProjectionScratch projection;
  std::vector<const SignedBytes*> queries;
  std::vector<float> projections, distances, sample;
  std::vector<Row> rows;
  std::vector<Neighbor> ranked;
};

/// In a shared frame, squared distances omit the squared norm of the query, which is the same for all centroids and
/// codes; see omitted_squared_norm. Here `Neighbor::row` is the number of a list.
class Centroids {
 public:
  /// `centroids`: rows of encoder.dim() floats. The encoder encodes residuals: vectors minus their centroid, minus the
  /// encoder's center. `origin`: that of earlier centroids, if empty the median of these ones.
  Centroids(std::vector<float> centroids, const Encoder& encoder, Frame frame, std::vector<float> origin = {});

  /// Replaces the centroids of `lists`, or appends new ones. Codes of other lists remain valid.
  void set(std::span<const std::uint32_t> lists, std::span<const float> centroids, const Encoder& encoder);

  std::size_t count() const noexcept { return positions_.size() / dim_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t bytes() const noexcept;
  Frame frame() const noexcept { return frame_; }
  /// Bytes that ranking reads while it scans all centroids.
  std::size_t scanned_bytes() const noexcept {
    return frame_ == Frame::per_list ? positions_.size() * sizeof(float) : codes_.size();
  }

  /// The centroids as they were given.
  std::span<const float> positions() const noexcept { return positions_; }
  /// The origin of a shared frame. It never changes.
  std::span<const float> origin() const noexcept { return origin_; }
  /// Turns a row into its residual: subtracts the list's centroid and the encoder's center.
  void subtract_from(std::size_t list, std::span<float> row, std::span<const float> center) const;
  /// The bias (see BlockKernel) to add to a code of this list: twice its dot product with the centroid in a shared
  /// frame, 0 with a frame per list.
  float bias_of(const Encoder& encoder, const std::byte* code, std::size_t list) const;

  /// Prepares a query of encoder.dim() floats.
  void prepare(const Encoder& encoder, const BlockLayout& layout, std::span<const float> point, ListQuery& query,
               RankingScratch& scratch) const;
  /// The same in two steps. Projecting several queries at once is faster.
  void center_query(std::span<const float> point, const Encoder& encoder, ListQuery& query) const;
  void project_queries(const Encoder& encoder, const BlockLayout& layout, std::span<ListQuery* const> centered,
                       RankingScratch& scratch) const;
  /// The squared norm of the query, which the distances from `rank` and from codes omit; 0 with a frame per list.
  double omitted_squared_norm(const ListQuery& query) const;
  /// With a frame per list: prepares `list_query` for the codes of one list. `query` has been projected.
  void prepare_list_query(const Encoder& encoder, const BlockLayout& layout, const ListQuery& query, std::size_t list,
                          ListQuery& list_query) const;
  /// Approximately the `count` lists nearest to a query; exactly all lists if there are no more. The first `ordered`
  /// are sorted by distance, the rest is unsorted. Valid until `scratch` is used again.
  std::span<const Neighbor> rank(const ListQuery& query, std::size_t count, std::size_t ordered,
                                 RankingScratch& scratch) const;

 private:
  /// Writes candidates for the nearest lists to scratch.rows and their distances to scratch.distances.
  void estimate_distances(const ListQuery& query, std::size_t count, RankingScratch& scratch) const;

  std::size_t dim_;
  Frame frame_;
  std::vector<float> positions_;
  std::vector<float> origin_;
  std::vector<float> projected_;  // projected centroids, relative to the origin
  std::size_t projected_dim_;
  BlockLayout layout_;
  Array<std::byte> codes_;  // blocks of 4 bits per projected coordinate; Frame::shared only
  std::size_t quantized_stride_;
  Array<std::byte> quantized_;  // rows of 8 bits per coordinate for KernelTable::dot_u8; Frame::shared only
};

}  // namespace lookalike
