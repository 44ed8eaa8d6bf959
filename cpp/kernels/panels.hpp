// Many vectors in the panels that tiles read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/array.hpp"
#include "base/vectors_view.hpp"
#include "kernels/table.hpp"

namespace lookalike {

/// Room for vectors on a tile's side of queries. Panels may be packed by different threads at once.
class QueryPanels {
 public:
  QueryPanels(const TileKernel& tile, std::size_t count, std::size_t dim)
      : tile_(&tile), count_(count), dim_(dim), bytes_(rounded_up(tile.query_panel_bytes(dim))) {
    packed_.resize_for_overwrite(panels() * bytes_);
  }

  std::size_t panels() const noexcept { return (count_ + tile_->queries - 1) / tile_->queries; }
  /// The first vector of a panel, and how many vectors it holds.
  std::size_t first(std::size_t panel) const noexcept { return panel * tile_->queries; }
  std::size_t size(std::size_t panel) const noexcept { return std::min(tile_->queries, count_ - first(panel)); }
  const std::byte* panel(std::size_t panel) const noexcept { return packed_.data() + panel * bytes_; }

  /// Packs as many vectors as the panel holds, see TileKernel.
  void pack(std::size_t panel, const std::byte* const* vectors, Element element, const float* center,
            const void* start) {
    tile_->pack_queries(vectors, element, size(panel), dim_, center, start, packed_.mutable_data() + panel * bytes_);
  }
  /// The first of `vectors`.
  void pack(std::size_t panel, const VectorsView& vectors, const float* center) {
    const std::byte* pointers[most_queries];
    for (std::size_t i = 0; i < size(panel); ++i) pointers[i] = vectors.row(i);
    pack(panel, pointers, vectors.element, center, nullptr);
  }

  static constexpr std::size_t most_queries = 16, most_rows = 32;  // of any tile

  static std::size_t rounded_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

 private:
  const TileKernel* tile_;
  std::size_t count_, dim_, bytes_;
  Array<std::byte> packed_;
};

/// The same on the side of rows.
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
    const std::byte* pointers[QueryPanels::most_rows];
    const std::size_t held = size(panel);
    for (std::size_t i = 0; i < held; ++i) pointers[i] = vectors.row(i);
    tile_->pack_rows(pointers, vectors.element, held, dim_, center, packed_.mutable_data() + panel * bytes_);
  }
  /// Instead of the vectors the columns of dim_ dense rows, count() floats each. Tiles of floats only, in whose panels
  /// the n-th elements of all vectors lie side by side.
  void pack_columns(std::size_t panel, const float* rows) {
    float* out = reinterpret_cast<float*>(packed_.mutable_data() + panel * bytes_);
    const std::size_t held = size(panel);
    for (std::size_t i = 0; i < dim_; ++i, out += tile_->rows) {
      const float* const row = rows + i * count_ + first(panel);
      std::fill(std::copy_n(row, held, out), out + tile_->rows, 0.0f);
    }
  }

 private:
  const TileKernel* tile_;
  std::size_t count_, dim_, bytes_;
  Array<std::byte> packed_;
};

}  // namespace lookalike
