// Forked children of a process whose pool has threads. Not built where such children cannot start threads.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

using std::chrono::milliseconds;

std::size_t sum_in_parallel(std::size_t tasks, unsigned threads) {
  std::vector<std::size_t> sums(threads);
  parallel_for(tasks, threads, [&](std::size_t task, unsigned worker) { sums.at(worker) += task; });
  return std::accumulate(sums.begin(), sums.end(), std::size_t{0});
}

/// The exit status of a child that runs `body`, which takes far less than a minute.
int status_of_child(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);  // turns a hang into a failure
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

TEST_CASE("a forked child uses its own pool") {
  REQUIRE(sum_in_parallel(100, 3) == 4950);
  CHECK(status_of_child([] { return sum_in_parallel(100, 3) == 4950; }) == 0);
  // So do the child's children.
  CHECK(status_of_child([] { return status_of_child([] { return sum_in_parallel(100, 3) == 4950; }) == 0; }) == 0);
  CHECK(sum_in_parallel(100, 3) == 4950);
}

TEST_CASE("a child forked while other threads are in parallel_for works") {
  std::atomic<bool> stop = false;
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] {
      while (!stop) sum_in_parallel(20, 3);
    });
  }
  for (int repeat = 0; repeat < 30; ++repeat) {
    CHECK(status_of_child([] { return sum_in_parallel(100, 3) == 4950; }) == 0);
  }
  stop = true;
  for (std::thread& thread : busy) thread.join();
}

TEST_CASE("in a child forked inside a task, parallel_for throws") {
  std::atomic<int> status = -1;
  bool child = false;
  try {
    parallel_for(4, 2, [&](std::size_t, unsigned worker) {
      if (worker != 0 || status != -1) return;
      const pid_t pid = ::fork();
      child = pid == 0;
      if (child) {
        ::alarm(60);
        status = 0;
        return;
      }
      int result = 0;
      ::waitpid(pid, &result, 0);
      status = result;
    });
  } catch (const Error&) {
    if (child) ::_exit(sum_in_parallel(100, 3) == 4950 ? 7 : 8);
    throw;
  }
  if (child) ::_exit(9);
  const int result = status;
  // The caller may have found no task left.
  if (result != -1) {
    CHECK(WIFEXITED(result));
    CHECK(WEXITSTATUS(result) == 7);
  }
}

TEST_CASE("a process exits at once, even while its pool is running tasks") {
  CHECK(status_of_child([] {
          std::thread([] {
            parallel_for(1'000'000, 4, [](std::size_t, unsigned) { std::this_thread::yield(); });
          }).detach();
          std::this_thread::sleep_for(milliseconds(5));
          std::exit(sum_in_parallel(100, 3) == 4950 ? 0 : 1);
          return false;
        }) == 0);
}

}  // namespace
}  // namespace lookalike
