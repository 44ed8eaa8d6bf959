// Memory from the operating system.
#pragma once

#include <cstddef>

namespace lookalike::platform {

/// Uninitialised bytes, aligned to `granule`: a power of two of which `bytes` is a multiple. Null where there are none.
void* allocate_aligned(std::size_t granule, std::size_t bytes) noexcept;
void free_aligned(void* memory) noexcept;

/// Asks for huge pages. A hint: refused, the memory is as good.
void prefer_huge_pages(void* memory, std::size_t bytes) noexcept;

}  // namespace lookalike::platform
