#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "platform/cpus.hpp"
#include "platform/windows_api.hpp"

namespace lookalike::platform {
namespace {

unsigned machine_cpus() noexcept { return std::max(1u, unsigned{::GetActiveProcessorCount(ALL_PROCESSOR_GROUPS)}); }

}  // namespace

unsigned affinity_cpus() noexcept {
  // A mask holds the 64 CPUs of one processor group. With several groups, Windows spreads threads over all of them.
  GROUP_AFFINITY affinity = {};
  if (::GetActiveProcessorGroupCount() != 1 || !::GetThreadGroupAffinity(::GetCurrentThread(), &affinity)) {
    return machine_cpus();
  }
  return std::max(1u, static_cast<unsigned>(std::popcount(std::uint64_t{affinity.Mask})));
}

std::optional<unsigned> quota_cpus() {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate = {};
  if (!::QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &rate, sizeof rate, nullptr) ||
      !(rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_ENABLE)) {
    return std::nullopt;
  }
  // In hundredths of a per cent of all CPUs.
  constexpr DWORD min_max_rate = 0x10;  // JOB_OBJECT_CPU_RATE_CONTROL_MIN_MAX_RATE, which older SDKs lack
  double share = 0;
  if (rate.ControlFlags & min_max_rate) {
    share = rate.CpuRate >> 16;  // MaxRate
  } else if (rate.ControlFlags & JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP) {
    share = rate.CpuRate;
  }
  if (share <= 0) return std::nullopt;
  return static_cast<unsigned>(std::max(1.0, std::ceil(machine_cpus() * share / 10'000)));
}

}  // namespace lookalike::platform
