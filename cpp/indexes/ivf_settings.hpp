// How an IVF index is asked to be.
#pragma once

#include <cstddef>
#include <cstdint>

#include "indexes/code_settings.hpp"

namespace lookalike {

struct IvfSettings : CodeSettings {
  std::size_t nlist = 0;  // 0: as many as suit the rows there are
  std::uint64_t seed = 0;
};

}  // namespace lookalike
