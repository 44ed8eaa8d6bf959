// Aligned allocation for arrays.
#pragma once

#include <cstddef>

namespace lookalike {

/// Alignment of arrays and file sections: one cache line.
inline constexpr std::size_t alignment = 64;

/// Returns uninitialised bytes, aligned to `alignment`. Large allocations prefer huge pages: with ordinary pages, TLB
/// misses cost as much time as reading the rows. Throws std::bad_alloc.
void* allocate(std::size_t bytes);
void release(void* memory) noexcept;

}  // namespace lookalike
