#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <thread>

#include "platform/cgroups.hpp"
#include "platform/cpus.hpp"

namespace lookalike::platform {

unsigned affinity_cpus() noexcept {
  // The kernel refuses a mask smaller than its own, whose size it does not report.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    const auto free_mask = [](cpu_set_t* mask) { CPU_FREE(mask); };
    const std::unique_ptr<cpu_set_t, decltype(free_mask)> mask(CPU_ALLOC(static_cast<std::size_t>(cpus)), free_mask);
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    if (!mask) break;
    if (::sched_getaffinity(0, bytes, mask.get()) == 0) {
      return static_cast<unsigned>(std::max(1, CPU_COUNT_S(bytes, mask.get())));
    }
    if (errno != EINVAL) break;
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

std::optional<unsigned> quota_cpus() { return cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup"); }

}  // namespace lookalike::platform
