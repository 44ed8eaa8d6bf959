// Which instruction sets this binary has and this CPU runs.
#pragma once

#include <span>

#include "kernels/table.hpp"

namespace lookalike {

/// Every table this CPU can run, the plainest first.
std::span<const KernelTable* const> runnable_kernels() noexcept;

}  // namespace lookalike
