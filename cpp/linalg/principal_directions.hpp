// The few directions along which vectors differ most, found a block at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"
#include "kernels/panels.hpp"

namespace lookalike {

/// Directions, the leading ones first, as far as they are asked for: to ask for more takes the time of what is new.
class PrincipalDirections {
 public:
  /// Of `centered`, rows of `dim`. Deterministic in `seed`.
  PrincipalDirections(std::span<const float> centered, std::size_t dim, std::uint64_t seed, unsigned threads);

  /// `count` orthonormal rows, `dim` at most, spanning nearly the leading principal subspace. Randomised subspace
  /// iteration [Halko, Martinsson and Tropp 2011, Algorithm 4.4], a block at a time, each orthogonal to those before.
  /// Where vectors do not differ in so many directions, some rows are zero. Valid until more are asked for.
  std::span<const float> first(std::size_t count);

 private:
  void find(std::size_t count);
  void remove_found(std::span<float> block) const;

  std::size_t dim_, samples_;
  unsigned threads_;
  Random random_;
  RowPanels rows_, columns_;  // of the sample
  std::vector<float> found_;
  std::vector<RowPanels> columns_found_;  // of each block of `found_`
};

/// The same at once.
std::vector<float> principal_directions(std::span<const float> centered, std::size_t dim, std::size_t count,
                                        std::uint64_t seed, unsigned threads);

}  // namespace lookalike
