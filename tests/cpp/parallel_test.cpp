#include "runtime/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/errors.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {
namespace {

using std::chrono::milliseconds;

std::size_t sum_in_parallel(std::size_t tasks, unsigned threads) {
  std::vector<std::size_t> sums(threads);
  parallel_for(tasks, threads, [&](std::size_t task, unsigned worker) { sums.at(worker) += task; });
  return std::accumulate(sums.begin(), sums.end(), std::size_t{0});
}

TEST_CASE("every task runs once, on a worker whose number is in range") {
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    for (const std::size_t tasks : {0, 1, 2, 7, 1000}) {
      CAPTURE(threads);
      CAPTURE(tasks);
      std::vector<std::atomic<int>> runs(tasks);
      std::atomic<bool> in_range = true;
      parallel_for(tasks, threads, [&](std::size_t task, unsigned worker) {
        ++runs[task];
        if (worker >= threads) in_range = false;
      });
      CHECK(in_range);
      for (const auto& count : runs) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("a worker number belongs to one thread during a call") {
  std::vector<std::thread::id> owners(4);
  std::atomic<bool> stable = true;
  for (int repeat = 0; repeat < 50; ++repeat) {
    owners.assign(4, {});
    parallel_for(64, 4, [&](std::size_t, unsigned worker) {
      if (owners[worker] == std::thread::id()) owners[worker] = std::this_thread::get_id();
      if (owners[worker] != std::this_thread::get_id()) stable = false;
    });
  }
  CHECK(stable);
}

TEST_CASE("tasks run concurrently on several threads") {
  // Each task waits for the other three, so the test ends only if four threads run them.
  std::atomic<int> arrived = 0;
  parallel_for(4, 4, [&](std::size_t, unsigned) {
    ++arrived;
    while (arrived < 4) std::this_thread::yield();
  });
  CHECK(arrived == 4);
}

TEST_CASE("with one thread or one task, all tasks run in order on the calling thread") {
  const auto caller = std::this_thread::get_id();
  std::vector<std::size_t> order;
  parallel_for(100, 1, [&](std::size_t task, unsigned worker) {
    CHECK(worker == 0);
    CHECK(std::this_thread::get_id() == caller);
    order.push_back(task);
  });
  std::vector<std::size_t> expected(100);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  CHECK(order == expected);
  parallel_for(1, 8, [&](std::size_t, unsigned) { CHECK(std::this_thread::get_id() == caller); });
}

TEST_CASE("calls nest") {
  std::atomic<std::size_t> total = 0;
  parallel_for(6, 3, [&](std::size_t, unsigned) {
    parallel_for(5, 4, [&](std::size_t, unsigned) { total += sum_in_parallel(10, 2); });
  });
  CHECK(total == 6 * 5 * 45);
}

TEST_CASE("several threads may call concurrently") {
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) right += sum_in_parallel(50, 3) == 49 * 50 / 2;
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 6 * 200);
}

TEST_CASE("the first exception stops further tasks and is rethrown, and the pool stays usable") {
  for (const unsigned threads : {1u, 2u, 4u}) {
    std::atomic<int> ran = 0;
    const auto fail_at_three = [&](std::size_t task, unsigned) {
      ++ran;
      if (task == 3) throw std::runtime_error("task 3");
      std::this_thread::sleep_for(milliseconds(1));
    };
    CHECK_THROWS_WITH_AS(parallel_for(10'000, threads, fail_at_three), "task 3", std::runtime_error);
    CHECK(ran < 1000);
    CHECK(sum_in_parallel(100, threads) == 99 * 100 / 2);
  }
}

TEST_CASE("every worker has finished when an exception is rethrown") {
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::atomic<int> inside = 0;
    const auto body = [&](std::size_t task, unsigned) {
      ++inside;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      --inside;
      if (task % 2) throw std::runtime_error("odd");
    };
    CHECK_THROWS_AS(parallel_for(8, 4, body), std::runtime_error);
    CHECK(inside == 0);
  }
}

TEST_CASE("an exception passes through nested calls") {
  CHECK_THROWS_WITH_AS(parallel_for(4, 2,
                                    [](std::size_t, unsigned) {
                                      parallel_for(4, 2, [](std::size_t task, unsigned) {
                                        if (task == 2) throw InvalidArgument("inner");
                                      });
                                    }),
                       "inner", InvalidArgument);
}

std::atomic<int> questions = 0;
std::atomic<bool> answer = false;
std::thread::id asked_on;

bool hook() {
  ++questions;
  asked_on = std::this_thread::get_id();
  return answer;
}

TEST_CASE("an interrupt stops the operation, and polls run only on the calling thread at most every 50 ms") {
  questions = 0;
  answer = false;
  set_interrupt_hook(hook);
  const auto start = std::chrono::steady_clock::now();
  parallel_for(300, 3, [](std::size_t, unsigned) {
    poll_interrupt();
    parallel_for(2, 2, [](std::size_t, unsigned) { std::this_thread::sleep_for(milliseconds(1)); });
  });
  const auto asked_at_most = (std::chrono::steady_clock::now() - start) / milliseconds(50) + 1;
  CHECK(questions >= 1);
  CHECK(questions <= asked_at_most);
  CHECK(asked_on == std::this_thread::get_id());

  answer = true;
  std::atomic<int> ran = 0;
  const auto slow = [&](std::size_t, unsigned) {
    ++ran;
    std::this_thread::sleep_for(milliseconds(5));
  };
  for (const unsigned threads : {1u, 3u}) CHECK_THROWS_AS(parallel_for(10'000, threads, slow), Interrupted);
  CHECK(ran < 1000);
  set_interrupt_hook(nullptr);
  CHECK(sum_in_parallel(100, 3) == 4950);
}

}  // namespace
}  // namespace lookalike
