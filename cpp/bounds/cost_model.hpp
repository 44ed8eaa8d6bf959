// What arithmetic costs, to decide whether lower bounds pay off. Rough: a factor of two does not matter.
#pragma once

namespace lookalike {

inline constexpr double byte_products_per_ns = 200, float_products_per_ns = 55;

}  // namespace lookalike
