#include "platform/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace lookalike::platform {
namespace {

int madvise_flag(Advice advice) noexcept {
  switch (advice) {
    case Advice::in_order: return MADV_NORMAL;
    case Advice::in_places: return MADV_RANDOM;
    case Advice::will_need: return MADV_WILLNEED;
    case Advice::give_back: return MADV_DONTNEED;  // the mapping is read-only: nothing can be lost
  }
  return MADV_NORMAL;
}

}  // namespace

Mapping::~Mapping() {
  if (bytes_.data()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

int Mapping::map(const File& file, std::size_t length) noexcept {
  void* const address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, static_cast<int>(file.handle()), 0);
  if (address == MAP_FAILED) return errno;
  bytes_ = {static_cast<const std::byte*>(address), length};
  return 0;
}

void advise(std::span<const std::byte> part, Advice advice) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t before = address % page;
  ::madvise(const_cast<std::byte*>(part.data()) - before, part.size() + before, madvise_flag(advice));
}

}  // namespace lookalike::platform
