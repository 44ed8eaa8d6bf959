// The few directions along which vectors differ most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// The mean of dense rows of `dim` floats.
std::vector<float> mean_of(std::span<const float> rows, std::size_t dim);

/// The rows but for a few, so far from nearly all that there would be nothing to learn beside them.
std::vector<float> without_outliers(std::span<const float> sample, std::size_t dim);

/// c[i * nb + j] = <a_i, b_j> for row-major a (na x dim) and b (nb x dim).
void products(std::span<const float> a, std::span<const float> b, std::size_t dim, unsigned threads,
              std::span<float> c);

/// Makes the rows (each `dim` long) orthonormal in place; rows that depend on earlier ones become zero.
void orthonormalize(std::span<float> rows, std::size_t dim);

/// `count` orthonormal rows spanning nearly the leading principal subspace of `centered` (rows of `dim`), the leading
/// directions first. Randomised subspace iteration [Halko, Martinsson and Tropp 2011, Algorithm 4.4]. Deterministic in
/// `seed`.
std::vector<float> principal_directions(std::span<const float> centered, std::size_t dim, std::size_t count,
                                        std::uint64_t seed, unsigned threads);

/// A random rotation of `dim` dimensions, row-major.
std::vector<float> random_rotation(std::size_t dim, std::uint64_t seed);

}  // namespace lookalike
