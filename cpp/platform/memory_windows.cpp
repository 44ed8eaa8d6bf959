#include "platform/memory.hpp"

#include <malloc.h>

namespace lookalike::platform {

void* allocate_aligned(std::size_t granule, std::size_t bytes) noexcept { return ::_aligned_malloc(bytes, granule); }

void free_aligned(void* memory) noexcept { ::_aligned_free(memory); }

// Large pages need a privilege that users do not have.
void prefer_huge_pages(void*, std::size_t) noexcept {}

}  // namespace lookalike::platform
