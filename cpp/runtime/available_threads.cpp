#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "platform/cpus.hpp"
#include "runtime/parallel.hpp"
#include "runtime/parse_cpus.hpp"

namespace lookalike {
namespace {

constexpr unsigned no_limit = ~0u;

// The quota is cached for one second, because reading it may open files.
unsigned cached_quota() {
  static std::atomic<std::int64_t> expires_at = 0;
  static std::atomic<unsigned> cached_limit = no_limit;
  const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  if (now >= expires_at.load()) {
    cached_limit.store(platform::quota_cpus().value_or(no_limit));
    expires_at.store(now + 1'000'000'000);
  }
  return cached_limit.load();
}

unsigned environment_limit() {
  const char* const text = std::getenv("LOOKALIKE_NUM_THREADS");
  return text ? parse_cpus(text).value_or(no_limit) : no_limit;
}

}  // namespace

unsigned available_threads() { return std::min({platform::affinity_cpus(), cached_quota(), environment_limit()}); }

}  // namespace lookalike
