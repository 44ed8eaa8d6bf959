// Assigns points to their nearest centroids with a float matrix product; candidates are refined exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/panels.hpp"

namespace lookalike {

class FloatScreen {
 public:
  /// Borrows the centroids, rows of `dim` floats.
  FloatScreen(std::span<const float> centroids, std::size_t dim, unsigned threads);

  /// Writes the nearest centroid of every row and, unless `squares` is empty, its squared distance.
  void assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
              std::span<float> squares) const;

 private:
  struct Scratch;
  /// Multiplies `count` points by all centroids and collects candidates.
  void screen(const QueryPanels& points, std::size_t count, Scratch& scratch) const;

  std::span<const float> centroids_;
  std::size_t dim_;
  std::vector<float> center_;
  RowPanels panels_;
  std::vector<float> bias_, error_widths_, scale_;
  bool is_measurable_ = true;  // whether no product overflows
};

}  // namespace lookalike
