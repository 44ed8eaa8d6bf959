#include "platform/mapping.hpp"

#include "platform/windows_api.hpp"
#include "platform/windows_errors.hpp"

namespace lookalike::platform {

Mapping::~Mapping() {
  if (bytes_.data()) ::UnmapViewOfFile(bytes_.data());
  if (file_ != -1) ::CloseHandle(reinterpret_cast<HANDLE>(file_));
}

int Mapping::map(const File& file, std::size_t length) noexcept {
  const auto handle = reinterpret_cast<HANDLE>(file.handle());
  const auto high = static_cast<DWORD>(std::uint64_t{length} >> 32);
  const HANDLE section =
      ::CreateFileMappingW(handle, nullptr, PAGE_READONLY, high, static_cast<DWORD>(length), nullptr);
  if (!section) return errno_of(::GetLastError());
  const void* const address = ::MapViewOfFile(section, FILE_MAP_READ, 0, 0, length);
  const DWORD error = ::GetLastError();
  ::CloseHandle(section);  // the view keeps it
  if (!address) return errno_of(error);
  bytes_ = {static_cast<const std::byte*>(address), length};
  HANDLE kept = nullptr;
  const HANDLE process = ::GetCurrentProcess();
  if (!::DuplicateHandle(process, handle, process, &kept, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
    return errno_of(::GetLastError());
  }
  file_ = reinterpret_cast<std::intptr_t>(kept);
  return 0;
}

void advise(std::span<const std::byte> part, Advice advice) noexcept {
  auto* const address = const_cast<std::byte*>(part.data());
  switch (advice) {
    case Advice::in_order:
    case Advice::in_places: return;  // said when a file is opened, or not at all
    case Advice::will_need: {
      WIN32_MEMORY_RANGE_ENTRY range = {address, part.size()};
      ::PrefetchVirtualMemory(::GetCurrentProcess(), 1, &range, 0);
      return;
    }
    case Advice::give_back:
      ::VirtualUnlock(address, part.size());  // of pages that are not locked it says no, and drops them
      return;
  }
}

}  // namespace lookalike::platform
