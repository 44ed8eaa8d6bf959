// Clustered vectors of every element type.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "rows/values.hpp"

namespace lookalike::testing {

/// Dense vectors that own their memory.
class Vectors {
 public:
  Vectors() = default;
  Vectors(std::span<const float> values, std::size_t dim, Element element) : element_(element), dim_(dim) {
    const VectorsView floats{reinterpret_cast<const std::byte*>(values.data()), Element::f32, values.size() / dim, dim,
                             dim * sizeof(float)};
    bytes_.resize(floats.count * row_bytes(element, dim));
    if (element == Element::bits) {
      for (std::size_t i = 0; i < values.size(); ++i) bytes_[i] = static_cast<std::byte>(values[i]);
    } else {
      convert(floats, element, bytes_.data());
    }
  }
  std::size_t dim() const { return dim_; }
  std::size_t count() const { return bytes_.size() / row_bytes(element_, dim_); }
  VectorsView view() const { return {bytes_.data(), element_, count(), dim_, row_bytes(element_, dim_)}; }
  VectorsView view(std::size_t first, std::size_t rows) const { return view().slice(first, rows); }
  const std::byte* row(std::size_t i) const { return view().row(i); }

 private:
  Element element_ = Element::f32;
  std::size_t dim_ = 1;
  std::vector<std::byte> bytes_;
};

/// Rows around a hundred centres, with most variance along a few directions. `seed` draws the rows; the centres are the
/// same for every seed.
inline std::vector<float> clustered_floats(std::size_t rows, std::size_t dim, unsigned seed) {
  constexpr std::size_t centers = 100, directions = 8;
  std::mt19937 shared(7), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> axes(directions * dim), middles(centers * directions), out(rows * dim);
  for (float& x : axes) x = normal(shared);
  for (float& x : middles) x = 2 * normal(shared);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* const middle = middles.data() + random() % centers * directions;
    for (std::size_t a = 0; a < directions; ++a) {
      const float along = middle[a] + normal(random);
      for (std::size_t d = 0; d < dim; ++d) out[i * dim + d] += along * axes[a * dim + d];
    }
    for (std::size_t d = 0; d < dim; ++d) out[i * dim + d] += 0.5f * normal(random);
  }
  return out;
}

/// clustered_floats in another element type: integers are scaled and rounded, bits are the signs of the values.
inline Vectors clustered(std::size_t rows, std::size_t dim, Element element, unsigned seed) {
  std::vector<float> values = clustered_floats(rows, element == Element::bits ? 8 * dim : dim, seed);
  if (element == Element::bits) {
    std::vector<float> packed(rows * dim);
    for (std::size_t i = 0; i < values.size(); ++i)
      packed[i / 8] += values[i] > 0 ? static_cast<float>(1u << (i % 8)) : 0.0f;
    return {packed, dim, element};
  }
  for (float& x : values) {
    if (element == Element::u8) x = std::clamp(std::round(128 + 8 * x), 0.0f, 255.0f);
    if (element == Element::s8) x = std::clamp(std::round(8 * x), -128.0f, 127.0f);
  }
  return {values, dim, element};
}

}  // namespace lookalike::testing
