#include "platform/memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace lookalike::platform {

void* allocate_aligned(std::size_t granule, std::size_t bytes) noexcept { return std::aligned_alloc(granule, bytes); }

void free_aligned(void* memory) noexcept { std::free(memory); }

void prefer_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef MADV_HUGEPAGE
  ::madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

}  // namespace lookalike::platform
