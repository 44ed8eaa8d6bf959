// Windows' error codes as errnos.
#pragma once

namespace lookalike::platform {

/// The errno that says the same as `error`, a value of GetLastError; EIO where none does.
int errno_of(unsigned long error) noexcept;

}  // namespace lookalike::platform
