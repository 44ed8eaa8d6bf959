#include "kernels/dispatch.hpp"

#include <cstdlib>
#include <cstring>

#include "platform/cpu_features.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lookalike {

extern const KernelTable scalar_kernels;
#if defined(__x86_64__)
extern const KernelTable avx2_kernels, avx512_kernels;
#elif defined(__aarch64__)
extern const KernelTable neon_kernels;
#endif

namespace {

#if defined(__x86_64__)
// __builtin_cpu_supports("f16c") fails to compile with Clang 14.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }
bool runs_avx512() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512vpopcntdq");
}
#endif

struct RunnableTables {
  const KernelTable* tables[4];
  std::size_t count = 0;

  RunnableTables() {
    tables[count++] = &scalar_kernels;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (runs_avx2()) tables[count++] = &avx2_kernels;
    if (runs_avx512()) tables[count++] = &avx512_kernels;
#elif defined(__aarch64__)
    if (platform::has_half_and_dot_product()) tables[count++] = &neon_kernels;
#endif
  }
};

const KernelTable& choose() noexcept {
  const auto runnable = runnable_kernels();
  if (const char* requested = std::getenv("LOOKALIKE_ISA"))
    for (const KernelTable* table : runnable)
      if (std::strcmp(table->isa, requested) == 0) return *table;
  return *runnable.back();
}

}  // namespace

std::span<const KernelTable* const> runnable_kernels() noexcept {
  static const RunnableTables runnable;
  return {runnable.tables, runnable.count};
}

const KernelTable& kernels() noexcept {
  static const KernelTable& chosen = choose();
  return chosen;
}

}  // namespace lookalike
