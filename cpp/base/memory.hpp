// Where arrays get their memory.
#pragma once

#include <cstddef>

namespace lookalike {

/// Cache lines and file sections are aligned to this.
inline constexpr std::size_t alignment = 64;

/// Uninitialised bytes, aligned to `alignment`; large ones on huge pages where the system has them, because reading
/// rows from ordinary pages spends as long on translating addresses as on the rows. Throws std::bad_alloc.
void* allocate(std::size_t bytes);
void release(void* memory) noexcept;

}  // namespace lookalike
