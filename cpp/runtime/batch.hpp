// One call of parallel_for: its tasks, and the threads at work on them. It lives on the caller's stack.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>

#include "base/function_ref.hpp"

namespace lookalike {

class Batch {
 public:
  using Body = function_ref<void(std::size_t task, unsigned worker)>;

  Batch(std::size_t tasks, unsigned threads, Body body) noexcept : tasks_(tasks), threads_(threads), body_(body) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Runs tasks as `worker` until none are left or one threw. The caller is worker 0 and polls for interrupts.
  void run(unsigned worker) noexcept;
  /// Throws what a task threw first. For the caller, when all have come to rest.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  /// Whether another thread would find work here.
  bool wants_workers() const noexcept {
    return joined < threads_ && !stopped_.load(std::memory_order_relaxed) &&
           next_.load(std::memory_order_relaxed) < tasks_;
  }
  unsigned threads() const noexcept { return threads_; }

  // The rest belongs to the pool and is written under its lock.
  Batch* following = nullptr;
  unsigned joined = 1;                // threads that came to work here, the caller among them: the next worker's number
  std::atomic<unsigned> working = 0;  // of these, the pool's threads that have not come to rest
  std::condition_variable all_rested{};  // working became 0

 private:
  const std::size_t tasks_;
  const unsigned threads_;
  const Body body_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  std::mutex error_lock_;
  std::exception_ptr error_;
};

}  // namespace lookalike
