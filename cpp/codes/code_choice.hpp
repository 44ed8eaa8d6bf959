// Which codes a graph should be walked over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "codes/encoder.hpp"

namespace lookalike {

struct CodeForm {
  CodeWidth width;
  std::size_t stride;
};

/// The shortest codes of one of `widths` that put nearly all true neighbours first, measured within a sample: dense
/// rows of `dim` floats.
CodeForm choose_codes(std::span<const CodeWidth> widths, std::span<const float> sample, std::size_t dim,
                      std::uint64_t seed, unsigned threads);

}  // namespace lookalike
