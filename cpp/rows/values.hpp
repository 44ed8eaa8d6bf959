// Checks the values of vectors and converts them between element types.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/types.hpp"
#include "base/vectors_view.hpp"

namespace lookalike {

constexpr std::size_t row_bytes(Element element, std::size_t dim) { return element_size(element) * dim; }

/// A value that a check rejects, and its position.
struct BadValue {
  std::size_t row;
  std::size_t column;
  double value;
};

/// The integer elements that can hold all values.
struct IntegerFit {
  bool fits_u8;  // all are integers in [0, 255]
  bool fits_s8;  // all are integers in [-128, 127]
};

/// Throws InvalidArgument at the first NaN or infinity, naming `argument`, row and column. Reads the vectors once.
IntegerFit check_values(const VectorsView& vectors, const char* argument, unsigned threads);

/// Only checks for NaN and infinity.
void require_finite(const VectorsView& vectors, const char* argument, unsigned threads);

/// The first value that `element` cannot represent exactly.
std::optional<BadValue> first_not_representable(const VectorsView& vectors, Element element);

/// The first value outside the range of a half.
std::optional<BadValue> first_out_of_half_range(const VectorsView& vectors);

/// Formats a value for messages: "vectors[3, 17] is 300.5".
std::string describe(const char* argument, const BadValue& bad_value);

/// Writes vectors as dense rows of `element`. Floats are rounded to the nearest half; all other conversions must be
/// exact.
void convert(const VectorsView& vectors, Element element, std::byte* out) noexcept;

/// The same with several threads; may throw Interrupted.
void convert(const VectorsView& vectors, Element element, std::byte* out, unsigned threads);

}  // namespace lookalike
