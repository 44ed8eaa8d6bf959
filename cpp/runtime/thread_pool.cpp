#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#include "base/errors.hpp"
#include "platform/threads.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {
namespace {

// musl's default stack of 128 KiB is too small.
constexpr std::size_t stack_size = std::size_t{8} << 20;
constexpr unsigned max_threads = 1024;

// Threads spin this long before they sleep: waking a sleeping thread takes about as long.
constexpr auto spin_time = std::chrono::microseconds(30);

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Condition>
void spin_until(Condition condition) noexcept {
  const auto end = std::chrono::steady_clock::now() + spin_time;
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
}

alignas(ThreadPool) std::byte storage[sizeof(ThreadPool)];

// The number of forks between the first process and this one.
std::uint64_t generation = 0;

}  // namespace

ThreadPool& ThreadPool::instance() noexcept {
  static ThreadPool* const pool = [] {
    platform::call_in_forked_child(replace_after_fork);
    return new (storage) ThreadPool();
  }();
  return *pool;
}

namespace {

// Constructed at load time: a fork during a later construction would leave the child without a pool.
[[maybe_unused]] const ThreadPool& constructed_at_load = ThreadPool::instance();

}  // namespace

// A forked child has only one thread, but the inherited pool may be locked and hold batches of threads that no longer
// exist. The child therefore constructs a new pool over the old one, which is not destroyed.
void ThreadPool::replace_after_fork() noexcept {
  new (storage) ThreadPool();
  ++generation;
}

void ThreadPool::run(Batch& batch) {
  const std::uint64_t generation_at_start = generation;
  open(batch);
  batch.run(0);
  if (generation != generation_at_start)
    throw Error("the process forked inside parallel_for; its tasks are the parent's");
  close(batch);
  batch.rethrow();
}

void ThreadPool::open(Batch& batch) noexcept {
  unsigned sleeping;
  {
    const std::lock_guard lock(lock_);
    grow(batch.threads() - 1);
    Batch** last = &first_;
    while (*last) last = &(*last)->next_batch;
    *last = &batch;
    batches_opened_.fetch_add(1, std::memory_order_relaxed);
    sleeping = sleeping_;
  }
  if (batch.threads() - 1 >= sleeping) {
    if (sleeping) work_available_.notify_all();
  } else {
    for (unsigned i = 1; i < batch.threads(); ++i) work_available_.notify_one();
  }
}

void ThreadPool::close(Batch& batch) {
  {
    const std::lock_guard lock(lock_);
    remove(batch);
    if (batch.active.load(std::memory_order_relaxed) == 0) return;
  }
  spin_until([&] { return batch.active.load(std::memory_order_relaxed) == 0; });
  // The last thread writes `active` under the lock, so it no longer uses the batch once this thread holds the lock.
  std::unique_lock lock(lock_);
  batch.all_finished.wait(lock, [&] { return batch.active.load(std::memory_order_relaxed) == 0; });
}

void ThreadPool::remove(const Batch& batch) noexcept {
  Batch** link = &first_;
  while (*link != &batch) link = &(*link)->next_batch;
  *link = batch.next_batch;
}

Batch* ThreadPool::find_work() noexcept {
  Batch* batch = first_;
  while (batch && !batch->accepts_workers()) batch = batch->next_batch;
  return batch;
}

// If the system starts fewer threads than requested, the caller runs the remaining tasks.
void ThreadPool::grow(unsigned threads) noexcept {
  if (threads_ >= threads) return;
  const unsigned target = std::min(threads, max_threads);
  if (target > threads_) threads_ += platform::start_threads(target - threads_, stack_size, start_thread, this);
}

void* ThreadPool::start_thread(void* pool) noexcept {
  platform::name_this_thread("lookalike");
  disable_interrupts_on_this_thread();
  static_cast<ThreadPool*>(pool)->work();
  return nullptr;
}

void ThreadPool::work() noexcept {
  const std::uint64_t generation_at_start = generation;
  std::unique_lock lock(lock_);
  for (;;) {
    Batch* const batch = find_work();
    if (!batch) {
      wait_for_work(lock);
      continue;
    }
    const unsigned worker = batch->joined++;
    batch->active.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    batch->run(worker);
    // A task of this thread forked. In the child the pool was replaced, so its lock must not be touched.
    if (generation != generation_at_start) {
      lock.release();
      return;
    }
    lock.lock();
    if (batch->active.fetch_sub(1, std::memory_order_relaxed) == 1) batch->all_finished.notify_one();
  }
}

void ThreadPool::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t seen = batches_opened_.load(std::memory_order_relaxed);
  const auto has_new_batch = [&] { return batches_opened_.load(std::memory_order_relaxed) != seen; };
  lock.unlock();
  spin_until(has_new_batch);
  lock.lock();
  if (has_new_batch()) return;
  ++sleeping_;
  work_available_.wait(lock);
  --sleeping_;
}

}  // namespace lookalike
