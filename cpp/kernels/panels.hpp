// Packed operands of the tile kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/array.hpp"
#include "base/vectors_view.hpp"
#include "kernels/table.hpp"

namespace lookalike {

/// Query-side panels for `count` vectors. Different panels may be packed concurrently.
class QueryPanels {
 public:
  QueryPanels(const TileKernel& tile, std::size_t count, std::size_t dim)
      : tile_(&tile), count_(count), dim_(dim), bytes_(rounded_up(tile.query_panel_bytes(dim))) {
    packed_.resize_for_overwrite(panels() * bytes_);
  }

  std::size_t panels() const noexcept { return (count_ + tile_->queries - 1) / tile_->queries; }
  /// The first vector of a panel, and its number of vectors.
  std::size_t first(std::size_t panel) const noexcept { return panel * tile_->queries; }
  std::size_t size(std::size_t panel) const noexcept { return std::min(tile_->queries, count_ - first(panel)); }
  const std::byte* panel(std::size_t panel) const noexcept { return packed_.data() + panel * bytes_; }

  /// Packs size(panel) vectors, see TileKernel::pack_queries.
  void pack(std::size_t panel, const std::byte* const* vectors, Element element, const float* center,
            const void* start) {
    tile_->pack_queries(vectors, element, size(panel), dim_, center, start, packed_.mutable_data() + panel * bytes_);
  }
  /// Packs the first size(panel) of `vectors`.
  void pack(std::size_t panel, const VectorsView& vectors, const float* center) {
    const std::byte* pointers[max_panel_queries];
    for (std::size_t i = 0; i < size(panel); ++i) pointers[i] = vectors.row(i);
    pack(panel, pointers, vectors.element, center, nullptr);
  }

  static constexpr std::size_t max_panel_queries = 16, max_panel_rows = 32;  // over all tile kernels

  static std::size_t rounded_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

 private:
  const TileKernel* tile_;
  std::size_t count_, dim_, bytes_;
  Array<std::byte> packed_;
};

/// Row-side panels for `count` vectors. Different panels may be packed concurrently.
class RowPanels {
 public:
  RowPanels(const TileKernel& tile, std::size_t count, std::size_t dim)
      : tile_(&tile), count_(count), dim_(dim), bytes_(QueryPanels::rounded_up(tile.row_panel_bytes(dim))) {
    packed_.resize_for_overwrite(panels() * bytes_);
  }

  std::size_t count() const noexcept { return count_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t panels() const noexcept { return (count_ + tile_->rows - 1) / tile_->rows; }
  std::size_t first(std::size_t panel) const noexcept { return panel * tile_->rows; }
  std::size_t size(std::size_t panel) const noexcept { return std::min(tile_->rows, count_ - first(panel)); }
  std::size_t panel_bytes() const noexcept { return bytes_; }
  const std::byte* panel(std::size_t panel) const noexcept { return packed_.data() + panel * bytes_; }

  void pack(std::size_t panel, const VectorsView& vectors, const float* center) {
    const std::byte* pointers[QueryPanels::max_panel_rows];
    const std::size_t filled = size(panel);
    for (std::size_t i = 0; i < filled; ++i) pointers[i] = vectors.row(i);
    tile_->pack_rows(pointers, vectors.element, filled, dim_, center, packed_.mutable_data() + panel * bytes_);
  }
  /// Packs columns instead of vectors: `rows` is a dense dim x count matrix, of which each column is one vector. Float
  /// tiles only: their panels store the n-th elements of all vectors side by side.
  void pack_columns(std::size_t panel, const float* rows) {
    float* out = reinterpret_cast<float*>(packed_.mutable_data() + panel * bytes_);
    const std::size_t filled = size(panel);
    for (std::size_t i = 0; i < dim_; ++i, out += tile_->rows) {
      const float* const row = rows + i * count_ + first(panel);
      std::fill(std::copy_n(row, filled, out), out + tile_->rows, 0.0f);
    }
  }

 private:
  const TileKernel* tile_;
  std::size_t count_, dim_, bytes_;
  Array<std::byte> packed_;
};

}  // namespace lookalike
