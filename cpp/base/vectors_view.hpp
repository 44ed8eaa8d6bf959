// A non-owning, strided view of vectors.
#pragma once

#include <cstddef>
#include <span>

#include "base/types.hpp"

namespace lookalike {

/// `count` vectors of `dim` elements, `stride` bytes apart. For `Element::bits`, dim counts bytes.
struct VectorsView {
  const std::byte* data = nullptr;
  Element element = Element::f32;
  std::size_t count = 0;
  std::size_t dim = 0;
  std::size_t stride = 0;

  const std::byte* row(std::size_t i) const noexcept { return data + i * stride; }
  VectorsView slice(std::size_t first, std::size_t length) const noexcept {
    return {row(first), element, length, dim, stride};
  }
};

/// Dense rows of `dim` floats.
inline VectorsView view_of(std::span<const float> rows, std::size_t dim) noexcept {
  return {reinterpret_cast<const std::byte*>(rows.data()), Element::f32, rows.size() / dim, dim, dim * sizeof(float)};
}

}  // namespace lookalike
