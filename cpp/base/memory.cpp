#include "base/memory.hpp"

#include <limits>
#include <new>

#include "platform/memory.hpp"

namespace lookalike {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t granule = bytes >= 2 * huge_page ? huge_page : alignment;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  const std::size_t rounded = (bytes + granule - 1) / granule * granule;
  void* const memory = platform::allocate_aligned(granule, rounded);
  if (!memory) throw std::bad_alloc();
  if (granule == huge_page) platform::prefer_huge_pages(memory, rounded);
  return memory;
}

void release(void* memory) noexcept { platform::free_aligned(memory); }

}  // namespace lookalike
