// How Ctrl-C reaches a long operation without the runtime knowing Python.
#pragma once

#include <chrono>

namespace lookalike {

/// The hook answers whether the current operation should stop. It is asked on the thread that called into the library,
/// at most every 50 ms. A search asks while it holds its index for reading, so a hook that runs user code (a signal
/// handler of Python's) must not change that index. Null: never interrupted.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook) noexcept;

/// Asks the hook, if one is set and 50 ms have passed since this thread asked last. Throws Interrupted.
void poll_interrupt();

/// While it lives, poll_interrupt does nothing on this thread.
class InterruptsHeld {
 public:
  InterruptsHeld() noexcept;
  InterruptsHeld(const InterruptsHeld&) = delete;
  InterruptsHeld& operator=(const InterruptsHeld&) = delete;
  ~InterruptsHeld();

 private:
  std::chrono::steady_clock::time_point next_question_;
};

/// From now on poll_interrupt does nothing on this thread: for the threads of the pool, which nobody called from.
void exempt_this_thread_from_interrupts() noexcept;

}  // namespace lookalike
