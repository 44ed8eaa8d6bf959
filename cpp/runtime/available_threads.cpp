#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "runtime/cpu_limits.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr unsigned no_limit = ~0u;

// The quota is read from files, so for a second the last answer stands.
unsigned recent_cgroup_limit() {
  static std::atomic<std::int64_t> stale_at = 0;
  static std::atomic<unsigned> limit = no_limit;
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  if (now >= stale_at.load()) {
    limit.store(cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup").value_or(no_limit));
    stale_at.store(now + 1'000'000'000);
  }
  return limit.load();
}

unsigned environment_limit() {
  const char* const text = std::getenv("LOOKALIKE_NUM_THREADS");
  return text ? parse_cpus(text).value_or(no_limit) : no_limit;
}

}  // namespace

unsigned available_threads() { return std::min({affinity_cpus(), recent_cgroup_limit(), environment_limit()}); }

}  // namespace lookalike
