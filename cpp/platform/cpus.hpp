// How many CPUs the operating system lets this process use.
#pragma once

#include <optional>

namespace lookalike::platform {

/// CPUs in the affinity mask of the calling thread, or of the machine where there is no such mask. At least 1.
unsigned affinity_cpus() noexcept;

/// The CPU quota of this process, rounded up to whole CPUs: of its control groups on Linux, of its job on Windows. None
/// if there is no quota. May read files.
std::optional<unsigned> quota_cpus();

}  // namespace lookalike::platform
