// The threads of the library. They are started when first needed, sleep when there is nothing to do, and are left to
// the system at exit: nothing here is ever destroyed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "runtime/batch.hpp"

namespace lookalike {

class ThreadPool {
 public:
  /// The pool of this process. A forked child gets a fresh one.
  static ThreadPool& instance() noexcept;

  /// Runs `batch` on the calling thread and on threads of the pool, and returns when all have come to rest.
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

  static void start_afresh() noexcept;
  static void* start_thread(void* pool) noexcept;

  std::mutex lock_;
  Batch* first_ = nullptr;  // oldest first
  unsigned threads_ = 0;
  unsigned sleeping_ = 0;
  std::condition_variable work_came_;
  std::atomic<std::uint64_t> batches_opened_ = 0;
};

}  // namespace lookalike
