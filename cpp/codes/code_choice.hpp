// Which codes a graph should be walked over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "codes/encoder.hpp"
#include "codes/plane.hpp"

namespace lookalike {

struct CodeForm {
  CodeWidth width;
  std::size_t stride;
};

/// How large a share of true neighbours codes should keep in front; and the longest ones, at least.
struct CodeQuality {
  double enough = 0.93, bearable = 0.9;
};

/// The shortest codes of one of `widths`, the finest first, that keep nearly all true neighbours of some rows of
/// `plane` in front of the others near them. Codes are learned from a sample: dense rows of point_dim() floats. Nullopt
/// where even the longest lose too many: tight clusters far apart need finer steps than codes have.
std::optional<CodeForm> choose_codes(std::span<const CodeWidth> widths, const Plane& plane,
                                     std::span<const float> sample, std::uint64_t seed, unsigned threads,
                                     const CodeQuality& demand = {});

}  // namespace lookalike
