// Who may touch an index when: many readers, one writer, and nobody waits for ever.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "base/errors.hpp"

namespace lookalike {

/// A std::shared_mutex under which a stream of readers cannot starve a writer: whoever comes after a waiting writer
/// queues behind it. For std::unique_lock and std::shared_lock.
class IndexLock {
 public:
  void lock() {
    const std::scoped_lock turn(turnstile_);
    state_.lock();
  }
  void unlock() { state_.unlock(); }
  void lock_shared() {
    const std::scoped_lock turn(turnstile_);
    state_.lock_shared();
  }
  void unlock_shared() { state_.unlock_shared(); }

 private:
  std::mutex turnstile_;
  std::shared_mutex state_;
};

/// One writer at a time prepares its change, while readers go on reading. A thread that already is the writer, and came
/// back through a callback, gets Unsupported where a mutex would hang.
class WriterMutex {
 public:
  void lock() {
    if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      throw Unsupported("this thread is in the middle of changing this index, in a callback; change it afterwards");
    }
    seat_.lock();
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    owner_.store({}, std::memory_order_relaxed);
    seat_.unlock();
  }

 private:
  std::mutex seat_;
  std::atomic<std::thread::id> owner_;
};

}  // namespace lookalike
