// What the operating system said, in the words of our errors.
#pragma once

#include <string>
#include <system_error>

#include "base/errors.hpp"

namespace lookalike {

/// "could not <what>: <reason>", with `code` an errno.
inline IoError io_error(const std::string& what, int code) {
  return IoError("could not " + what + ": " + std::generic_category().message(code), code);
}

}  // namespace lookalike
