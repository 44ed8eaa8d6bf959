// Converts system error codes into IoError.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "base/errors.hpp"
#include "platform/paths.hpp"

namespace lookalike {

/// The path in quotes, for error messages.
inline std::string quoted(const std::filesystem::path& path) { return "'" + platform::utf8(path) + "'"; }

/// "could not <action>: <reason>". `code` is an errno value.
inline IoError io_error(const std::string& action, int code) {
  return IoError("could not " + action + ": " + std::generic_category().message(code), code);
}

}  // namespace lookalike
