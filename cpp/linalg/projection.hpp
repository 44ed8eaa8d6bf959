// What projecting vectors takes: products of matrices, orthonormal rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/panels.hpp"

namespace lookalike {

/// c[i * nb + j] = <a_i, b_j> for row-major a (na x dim) and b (nb x dim).
void products(std::span<const float> a, std::span<const float> b, std::size_t dim, unsigned threads,
              std::span<float> c);

/// The same for a `b` that is packed.
void products(std::span<const float> a, const RowPanels& b, std::size_t dim, unsigned threads, std::span<float> c);
/// Dense rows of `dim` floats, packed; or their columns.
RowPanels packed_rows(std::span<const float> rows, std::size_t dim, unsigned threads);
RowPanels packed_columns(std::span<const float> rows, std::size_t dim, unsigned threads);

/// The square of a row's length, summed in double.
double square_of(std::span<const float> row);
void scale_row(std::span<float> row, double by);

/// Makes the rows (each `dim` long) orthonormal in place; rows that depend on earlier ones become zero.
void orthonormalize(std::span<float> rows, std::size_t dim);
/// The same as far as rounding lets it come in one pass. Rows of which no more than `least`, a square, is left beside
/// earlier ones become zero.
void orthonormalize_once(std::span<float> rows, std::size_t dim, double least = 1e-30);

/// A random rotation of `dim` dimensions, row-major.
std::vector<float> random_rotation(std::size_t dim, std::uint64_t seed);

}  // namespace lookalike
