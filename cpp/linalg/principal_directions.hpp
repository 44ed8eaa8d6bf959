// Leading principal directions by randomised subspace iteration, computed lazily in blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "kernels/panels.hpp"

namespace lookalike {

/// Principal directions in descending order of variance. Requesting more computes only the new ones.
class PrincipalDirections {
 public:
  /// Takes a centred sample, dense rows of `dim` floats. Deterministic in `seed`.
  PrincipalDirections(std::span<const float> centered, std::size_t dim, std::uint64_t seed, unsigned threads);

  /// `count` <= dim orthonormal rows that approximately span the leading principal subspace. Randomised subspace
  /// iteration [Halko, Martinsson and Tropp 2011, Algorithm 4.4], one block at a time, each orthogonal to those before.
  /// If the sample has a lower rank, the remaining rows are zero. Valid until more directions are requested.
  std::span<const float> leading(std::size_t count);

 private:
  /// Computes the next `count` directions.
  void find_block(std::size_t count);
  /// Subtracts the projections onto the directions found so far.
  void remove_found(std::span<float> block) const;

  std::size_t dim_, samples_;
  unsigned threads_;
  Random random_;
  RowPanels rows_, columns_;  // the sample, packed
  std::vector<float> found_;
  std::vector<RowPanels> columns_found_;  // the blocks of `found_`, packed
};

/// The leading `count` directions in one call.
std::vector<float> principal_directions(std::span<const float> centered, std::size_t dim, std::size_t count,
                                        std::uint64_t seed, unsigned threads);

}  // namespace lookalike
