#include "base/memory.hpp"

#include <cstdlib>
#include <limits>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lookalike {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t granule = bytes >= 2 * huge_page ? huge_page : alignment;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  const std::size_t rounded = (bytes + granule - 1) / granule * granule;
  void* const memory = std::aligned_alloc(granule, rounded);
  if (!memory) throw std::bad_alloc();
#if defined(__linux__)
  if (granule == huge_page) madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: refused, the memory is as good
#endif
  return memory;
}

void release(void* memory) noexcept { std::free(memory); }

}  // namespace lookalike
