#include "indexes/ivf_settings.hpp"

#include "base/errors.hpp"

namespace lookalike {

Codes IvfSettings::store_codes(Metric metric) const {
  if (metric == Metric::hamming || !keeps_codes_only) return CodeSettings::store_codes(metric);
  if (forgets_vectors()) return Codes::none;
  if (codes == WalkCodes::automatic) {
    throw InvalidArgument(
        "keep='none' leaves only the codes, so they must be named: 'u4' or 'rabitq', whose distances are approximate, "
        "or 'f32', 'f16', 'u8' or 's8', which are vectors themselves; but codes is 'auto'");
  }
  return CodeSettings::store_codes(metric);
}

}  // namespace lookalike
