// The instruction sets that this binary contains and this CPU supports.
#pragma once

#include <span>

#include "kernels/table.hpp"

namespace lookalike {

/// The tables this CPU supports, from scalar to the fastest.
std::span<const KernelTable* const> runnable_kernels() noexcept;

}  // namespace lookalike
