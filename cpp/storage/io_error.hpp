// What the operating system said, in the words of our errors.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "base/errors.hpp"
#include "platform/paths.hpp"

namespace lookalike {

/// A path as messages show it.
inline std::string quoted(const std::filesystem::path& path) { return "'" + platform::utf8(path) + "'"; }

/// "could not <what>: <reason>", with `code` an errno.
inline IoError io_error(const std::string& what, int code) {
  return IoError("could not " + what + ": " + std::generic_category().message(code), code);
}

}  // namespace lookalike
