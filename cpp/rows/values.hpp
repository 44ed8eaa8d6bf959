// What the values of vectors are, and how they change element.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/types.hpp"
#include "base/vectors_view.hpp"

namespace lookalike {

constexpr std::size_t row_bytes(Element element, std::size_t dim) { return element_size(element) * dim; }

/// Where the first value lies that breaks a rule, and the value.
struct Offence {
  std::size_t row;
  std::size_t column;
  double value;
};

/// One look at all the values.
struct Survey {
  bool fits_u8;  // all are integers in [0, 255]
  bool fits_s8;  // all are integers in [-128, 127]
};

/// Throws InvalidArgument naming `argument`, row and column at the first NaN or infinity. Reads the vectors once.
Survey survey(const VectorsView& vectors, const char* argument, unsigned threads);

/// The same check alone, where nothing else is asked.
void require_finite(const VectorsView& vectors, const char* argument, unsigned threads);

/// The first value that `element` cannot hold exactly; for f16, one that is not the value of a half.
std::optional<Offence> first_misfit(const VectorsView& vectors, Element element);

/// The first value beyond the range of a half.
std::optional<Offence> first_beyond_half(const VectorsView& vectors);

/// "vectors[3, 17] is 300.5": how every message names a value.
std::string describe(const char* argument, const Offence& offence);

/// Writes vectors as dense rows of `element`. Floats round to the nearest half; the rest must fit.
void convert(const VectorsView& vectors, Element element, std::byte* out) noexcept;

/// The same, block by block on several threads; may throw Interrupted.
void convert(const VectorsView& vectors, Element element, std::byte* out, unsigned threads);

}  // namespace lookalike
