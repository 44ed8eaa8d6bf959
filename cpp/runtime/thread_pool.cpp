#include "runtime/thread_pool.hpp"

#include <algorithm>
#include <chrono>
#include <new>

#include "base/errors.hpp"
#include "platform/threads.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {
namespace {

// musl gives a thread 128 KiB unless told.
constexpr std::size_t stack_size = std::size_t{8} << 20;
constexpr unsigned max_threads = 1024;

// Waking a sleeping thread takes about this long, so it is worth watching that long before going to sleep.
constexpr auto watch = std::chrono::microseconds(30);

void pause() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Condition>
void spin_until(Condition condition) noexcept {
  const auto end = std::chrono::steady_clock::now() + watch;
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
}

alignas(ThreadPool) std::byte storage[sizeof(ThreadPool)];

// Counts the forks behind this process.
std::uint64_t generation = 0;

}  // namespace

ThreadPool& ThreadPool::instance() noexcept {
  static ThreadPool* const pool = [] {
    platform::call_in_forked_child(start_afresh);
    return new (storage) ThreadPool();
  }();
  return *pool;
}

namespace {

// Made when the library is loaded: a fork in the middle of making it would leave the child without.
[[maybe_unused]] const ThreadPool& made_at_load = ThreadPool::instance();

}  // namespace

// In the child of a fork there is one thread. The pool's lock may be held, its batches may be open and its threads at
// work, all for threads that are no more; so a new pool takes the place of the old one, which is not destroyed.
void ThreadPool::start_afresh() noexcept {
  new (storage) ThreadPool();
  ++generation;
}

void ThreadPool::run(Batch& batch) {
  const std::uint64_t started_in = generation;
  open(batch);
  batch.run(0);
  if (generation != started_in) throw Error("the process forked inside parallel_for; its tasks are the parent's");
  close(batch);
  batch.rethrow();
}

void ThreadPool::open(Batch& batch) noexcept {
  unsigned asleep;
  {
    const std::lock_guard lock(lock_);
    grow(batch.threads() - 1);
    Batch** last = &first_;
    while (*last) last = &(*last)->following;
    *last = &batch;
    batches_opened_.fetch_add(1, std::memory_order_relaxed);
    asleep = sleeping_;
  }
  if (batch.threads() - 1 >= asleep) {
    if (asleep) work_came_.notify_all();
  } else {
    for (unsigned i = 1; i < batch.threads(); ++i) work_came_.notify_one();
  }
}

void ThreadPool::close(Batch& batch) {
  {
    const std::lock_guard lock(lock_);
    remove(batch);
    if (batch.working.load(std::memory_order_relaxed) == 0) return;
  }
  spin_until([&] { return batch.working.load(std::memory_order_relaxed) == 0; });
  // The last thread writes `working` under the lock, so having the lock means that it is done with the batch.
  std::unique_lock lock(lock_);
  batch.all_rested.wait(lock, [&] { return batch.working.load(std::memory_order_relaxed) == 0; });
}

void ThreadPool::remove(const Batch& batch) noexcept {
  Batch** link = &first_;
  while (*link != &batch) link = &(*link)->following;
  *link = batch.following;
}

Batch* ThreadPool::find_work() noexcept {
  Batch* batch = first_;
  while (batch && !batch->wants_workers()) batch = batch->following;
  return batch;
}

// With fewer threads than wanted, or none, the caller does the work.
void ThreadPool::grow(unsigned threads) noexcept {
  if (threads_ >= threads) return;
  const unsigned wanted = std::min(threads, max_threads);
  if (wanted > threads_) threads_ += platform::start_threads(wanted - threads_, stack_size, start_thread, this);
}

void* ThreadPool::start_thread(void* pool) noexcept {
  platform::name_this_thread("lookalike");
  exempt_this_thread_from_interrupts();
  static_cast<ThreadPool*>(pool)->work();
  return nullptr;
}

void ThreadPool::work() noexcept {
  const std::uint64_t started_in = generation;
  std::unique_lock lock(lock_);
  for (;;) {
    Batch* const batch = find_work();
    if (!batch) {
      wait_for_work(lock);
      continue;
    }
    const unsigned worker = batch->joined++;
    batch->working.fetch_add(1, std::memory_order_relaxed);
    lock.unlock();
    batch->run(worker);
    // A task forked here: in the child this pool is not this thread's.
    if (generation != started_in) {
      lock.release();
      return;
    }
    lock.lock();
    if (batch->working.fetch_sub(1, std::memory_order_relaxed) == 1) batch->all_rested.notify_one();
  }
}

void ThreadPool::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t seen = batches_opened_.load(std::memory_order_relaxed);
  const auto more_came = [&] { return batches_opened_.load(std::memory_order_relaxed) != seen; };
  lock.unlock();
  spin_until(more_came);
  lock.lock();
  if (more_came()) return;
  ++sleeping_;
  work_came_.wait(lock);
  --sleeping_;
}

}  // namespace lookalike
