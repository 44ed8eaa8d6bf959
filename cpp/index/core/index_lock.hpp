// The locks of an index: many readers, one writer, no starvation.
#pragma once

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "base/errors.hpp"

namespace lookalike {

/// A std::shared_mutex that readers cannot starve: readers that come after a waiting writer queue behind it. Use with
/// std::unique_lock and std::shared_lock.
class IndexLock {
 public:
  void lock() {
    const std::scoped_lock queue_lock(queue_mutex_);
    shared_mutex_.lock();
  }
  void unlock() { shared_mutex_.unlock(); }
  void lock_shared() {
    const std::scoped_lock queue_lock(queue_mutex_);
    shared_mutex_.lock_shared();
  }
  void unlock_shared() { shared_mutex_.unlock_shared(); }

 private:
  std::mutex queue_mutex_;
  std::shared_mutex shared_mutex_;
};

/// Admits one writer at a time, which prepares its change while readers continue. If the owning thread locks it again,
/// as a callback might, it throws Unsupported instead of deadlocking.
class WriterMutex {
 public:
  void lock() {
    if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
      throw Unsupported("this thread is in the middle of changing this index, in a callback; change it afterwards");
    }
    mutex_.lock();
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    owner_.store({}, std::memory_order_relaxed);
    mutex_.unlock();
  }

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> owner_;
};

}  // namespace lookalike
