// Interrupts long operations on Ctrl-C through a hook, so that the runtime does not depend on Python.
#pragma once

#include <chrono>

namespace lookalike {

/// Returns true to stop the current operation. Called at most every 50 ms, on the thread that called into the library.
/// A search calls it while it holds the index's read lock, so user code that the hook runs (a Python signal handler)
/// must not change that index. Null disables interrupts.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook) noexcept;

/// Calls the hook if one is set and this thread last called it at least 50 ms ago. Throws Interrupted.
void poll_interrupt();

/// A guard: poll_interrupt does nothing on this thread during its lifetime.
class InterruptsDisabled {
 public:
  InterruptsDisabled() noexcept;
  InterruptsDisabled(const InterruptsDisabled&) = delete;
  InterruptsDisabled& operator=(const InterruptsDisabled&) = delete;
  ~InterruptsDisabled();

 private:
  std::chrono::steady_clock::time_point saved_next_poll_;
};

/// From now on poll_interrupt does nothing on this thread. Pool threads call it, because only callers are interrupted.
void disable_interrupts_on_this_thread() noexcept;

}  // namespace lookalike
