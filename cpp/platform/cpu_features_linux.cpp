#include "platform/cpu_features.hpp"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace lookalike::platform {

bool has_half_and_dot_product() noexcept {
#if defined(__aarch64__)
  constexpr unsigned long both = 1 << 10 | 1 << 20;  // HWCAP_ASIMDHP, HWCAP_ASIMDDP
  return (::getauxval(AT_HWCAP) & both) == both;
#else
  return false;
#endif
}

}  // namespace lookalike::platform
