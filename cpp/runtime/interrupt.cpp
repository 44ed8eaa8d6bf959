#include "runtime/interrupt.hpp"

#include <atomic>
#include <chrono>

#include "base/errors.hpp"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Clock::duration poll_interval = std::chrono::milliseconds(50);

std::atomic<InterruptHook> current_hook = nullptr;
// time_point::max() disables polling on this thread.
thread_local Clock::time_point next_poll = Clock::time_point::min();

}  // namespace

void set_interrupt_hook(InterruptHook hook) noexcept { current_hook.store(hook); }

void poll_interrupt() {
  const InterruptHook hook = current_hook.load();
  if (!hook) return;
  const Clock::time_point now = Clock::now();
  if (now < next_poll) return;
  next_poll = now + poll_interval;
  if (hook()) throw Interrupted();
}

InterruptsDisabled::InterruptsDisabled() noexcept : saved_next_poll_(next_poll) {
  next_poll = Clock::time_point::max();
}

InterruptsDisabled::~InterruptsDisabled() { next_poll = saved_next_poll_; }

void disable_interrupts_on_this_thread() noexcept { next_poll = Clock::time_point::max(); }

}  // namespace lookalike
