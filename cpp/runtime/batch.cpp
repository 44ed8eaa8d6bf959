#include "runtime/batch.hpp"

#include "runtime/interrupt.hpp"

namespace lookalike {

void Batch::run(unsigned worker) noexcept {
  try {
    while (!stopped_.load(std::memory_order_relaxed)) {
      if (worker == 0) poll_interrupt();
      const std::size_t task = next_.fetch_add(1, std::memory_order_relaxed);
      if (task >= tasks_) return;
      body_(task, worker);
    }
  } catch (...) {
    stopped_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(error_lock_);
    if (!error_) error_ = std::current_exception();
  }
}

}  // namespace lookalike
