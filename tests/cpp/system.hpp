// Differences between operating systems that matter to the tests.
#pragma once

#include <cstdlib>

namespace lookalike::testing {

#ifdef _WIN32
inline constexpr const char* null_device = "NUL";
// True before Windows 10, under Wine and on file systems other than NTFS.
inline constexpr bool may_refuse_to_replace_open_files = true;
#else
inline constexpr const char* null_device = "/dev/null";
inline constexpr bool may_refuse_to_replace_open_files = false;
#endif

inline void set_environment(const char* name, const char* value) {
#ifdef _WIN32
  ::_putenv_s(name, value);
#else
  ::setenv(name, value, 1);
#endif
}

inline void unset_environment(const char* name) {
#ifdef _WIN32
  ::_putenv_s(name, "");
#else
  ::unsetenv(name);
#endif
}

}  // namespace lookalike::testing
