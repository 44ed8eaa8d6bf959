#include "indexes/walk.hpp"

#include <string>

#include "base/errors.hpp"

namespace lookalike {

Codes HnswSettings::store_codes(Metric metric) const {
  const bool bits = metric == Metric::hamming;
  if (bits ? !(codes == WalkCodes::automatic || codes == WalkCodes::bits) || keep != Codes::automatic
           : codes == WalkCodes::bits || keep == Codes::bits) {
    throw InvalidArgument("codes='bits' and metric='hamming' go together, with keep='auto' and nothing else");
  }
  if (keeps_codes_only) {
    switch (codes) {
      case WalkCodes::f32: return Codes::f32;
      case WalkCodes::f16: return Codes::f16;
      case WalkCodes::u8: return Codes::u8;
      case WalkCodes::s8: return Codes::s8;
      default: break;
    }
    throw InvalidArgument(
        "keep='none' leaves only codes that are vectors themselves: codes must be 'f32', 'f16', 'u8' or "
        "'s8', but is '" +
        std::string(name_of(codes)) + "'");
  }
  // Walking over floats is walking over what is kept.
  if (codes == WalkCodes::f32 || codes == WalkCodes::f16) {
    const Codes wanted = codes == WalkCodes::f32 ? Codes::f32 : Codes::f16;
    if (keep != Codes::automatic && keep != wanted) {
      throw InvalidArgument("codes='" + std::string(name_of(codes)) +
                            "' walks over the kept vectors, so keep must be 'auto' or '" + name_of(codes) +
                            "', but is '" + name_of(keep) + "'");
    }
    return wanted;
  }
  return keep;
}

}  // namespace lookalike
