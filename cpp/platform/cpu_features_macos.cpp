#include "platform/cpu_features.hpp"

namespace lookalike::platform {

bool has_half_and_dot_product() noexcept {
#if defined(__aarch64__)
  return true;  // every Arm64 Mac has both
#else
  return false;
#endif
}

}  // namespace lookalike::platform
