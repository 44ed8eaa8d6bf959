// Which centroids may be a point's nearest, by a matrix product of floats whose sums never leave the registers.
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

  void assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
              std::span<float> squares) const;

 private:
  struct Work;
  void screen(const QueryPanels& points, std::size_t count, Work& work) const;

  std::span<const float> centroids_;
  std::size_t dim_;
  std::vector<float> center_;
  RowPanels panels_;
  std::vector<float> bias_, widths_, scale_;
  bool is_measurable_ = true;  // no product overflows
};

}  // namespace lookalike
