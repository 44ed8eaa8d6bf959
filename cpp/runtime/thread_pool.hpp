// The library's thread pool. Threads start when first needed and sleep when idle. The pool is never destroyed; the
// system ends its threads at process exit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "runtime/batch.hpp"

namespace lookalike {

class ThreadPool {
 public:
  /// The pool of this process. A forked child gets a new one.
  static ThreadPool& instance() noexcept;

  /// Runs `batch` on the calling thread and on pool threads. Returns when all of them have finished.
  void run(Batch& batch);

 private:
  ThreadPool() = default;
  void grow(unsigned threads) noexcept;
  void work() noexcept;
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  Batch* find_work() noexcept;
  void open(Batch& batch) noexcept;
  void close(Batch& batch);
  void remove(const Batch& batch) noexcept;

  static void replace_after_fork() noexcept;
  static void* start_thread(void* pool) noexcept;

  std::mutex lock_;
  Batch* first_ = nullptr;  // linked list of open batches, oldest first
  unsigned threads_ = 0;
  unsigned sleeping_ = 0;
  std::condition_variable work_available_;
  std::atomic<std::uint64_t> batches_opened_ = 0;
};

}  // namespace lookalike
