// Threads have no affinity mask here, and processes no quota.
#include <algorithm>
#include <thread>

#include "platform/cpus.hpp"

namespace lookalike::platform {

unsigned affinity_cpus() noexcept { return std::max(1u, std::thread::hardware_concurrency()); }

std::optional<unsigned> quota_cpus() { return std::nullopt; }

}  // namespace lookalike::platform
