#include "index/ivf/settings.hpp"

#include "base/errors.hpp"

namespace lookalike {

Storage IvfSettings::storage(Metric metric) const {
  if (metric == Metric::hamming || !drops_originals) return CodeSettings::storage(metric);
  if (keeps_only_codes()) return Storage::none;
  if (codes == Quantization::automatic) {
    throw InvalidArgument(
        "keep='none' leaves only the codes, so they must be named: 'u4' or 'rabitq', whose distances are approximate, "
        "or 'f32', 'f16', 'u8' or 's8', which are vectors themselves; but codes is 'auto'");
  }
  return CodeSettings::storage(metric);
}

}  // namespace lookalike
