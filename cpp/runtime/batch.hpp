// The state of one parallel_for call: its tasks and worker threads. It lives on the caller's stack.
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

  /// Runs tasks until none are left or one has thrown. Worker 0 is the calling thread, which polls for interrupts.
  void run(unsigned worker) noexcept;
  /// Rethrows the first exception of a task. Call it when all workers have finished.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  /// Whether another worker may join.
  bool accepts_workers() const noexcept {
    return joined < threads_ && !stopped_.load(std::memory_order_relaxed) &&
           next_.load(std::memory_order_relaxed) < tasks_;
  }
  unsigned threads() const noexcept { return threads_; }

  // The members below belong to the pool and are written under its lock.
  Batch* next_batch = nullptr;
  unsigned joined = 1;                     // workers so far, including the caller; also the next worker's number
  std::atomic<unsigned> active = 0;        // pool threads still running tasks of this batch
  std::condition_variable all_finished{};  // `active` became 0

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
