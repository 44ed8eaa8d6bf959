#include "platform/cpu_features.hpp"

#include "platform/windows_api.hpp"

namespace lookalike::platform {

bool has_half_and_dot_product() noexcept {
#if defined(__aarch64__)
  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE. Every CPU that Windows runs on and that has dot products has half precision.
  return ::IsProcessorFeaturePresent(43);
#else
  return false;
#endif
}

}  // namespace lookalike::platform
