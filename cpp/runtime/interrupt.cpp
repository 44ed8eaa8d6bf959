#include "runtime/interrupt.hpp"

#include <atomic>
#include <chrono>

#include "base/errors.hpp"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Clock::duration patience = std::chrono::milliseconds(50);

std::atomic<InterruptHook> current_hook = nullptr;
// time_point::max() exempts the thread.
thread_local Clock::time_point next_question = Clock::time_point::min();

}  // namespace

void set_interrupt_hook(InterruptHook hook) noexcept { current_hook.store(hook); }

void poll_interrupt() {
  const InterruptHook hook = current_hook.load();
  if (!hook) return;
  const Clock::time_point now = Clock::now();
  if (now < next_question) return;
  next_question = now + patience;
  if (hook()) throw Interrupted();
}

InterruptsHeld::InterruptsHeld() noexcept : next_question_(next_question) { next_question = Clock::time_point::max(); }

InterruptsHeld::~InterruptsHeld() { next_question = next_question_; }

void exempt_this_thread_from_interrupts() noexcept { next_question = Clock::time_point::max(); }

}  // namespace lookalike
