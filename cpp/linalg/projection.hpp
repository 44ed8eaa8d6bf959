// Linear algebra of projections: matrix products, orthonormalisation, random rotations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/panels.hpp"

namespace lookalike {

/// c[i * nb + j] = <a_i, b_j> for row-major a (na x dim) and b (nb x dim).
void inner_products(std::span<const float> a, std::span<const float> b, std::size_t dim, unsigned threads,
                    std::span<float> c);

/// The same with a packed `b`.
void inner_products(std::span<const float> a, const RowPanels& b, std::size_t dim, unsigned threads,
                    std::span<float> c);
/// Packs the rows of a dense matrix with `dim` columns.
RowPanels packed_rows(std::span<const float> rows, std::size_t dim, unsigned threads);
/// Packs its columns.
RowPanels packed_columns(std::span<const float> rows, std::size_t dim, unsigned threads);

/// The squared L2 norm, summed in double.
double squared_norm(std::span<const float> row);
void scale_row(std::span<float> row, double factor);

/// Orthonormalises dense rows of `dim` floats in place; rows that depend linearly on earlier ones become zero.
void orthonormalize(std::span<float> rows, std::size_t dim);
/// One Gram-Schmidt pass; the result is orthonormal only up to rounding. Rows whose squared norm, after subtracting
/// their projections onto earlier rows, is at most `min_squared_norm` become zero.
void orthonormalize_once(std::span<float> rows, std::size_t dim, double min_squared_norm = 1e-30);

/// A random orthogonal dim x dim matrix, row-major.
std::vector<float> random_rotation(std::size_t dim, std::uint64_t seed);

}  // namespace lookalike
