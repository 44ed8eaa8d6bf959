// Rolling back an addition allocates no memory.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/hnsw/hnsw.hpp"
#include "runtime/interrupt.hpp"

namespace {

std::atomic<bool> memory_is_gone = false;

}  // namespace

// Not inlined: if a compiler inlines only one of new and delete, it reports a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (memory_is_gone) throw std::bad_alloc();
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return memory_is_gone ? nullptr : std::malloc(size ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace lookalike {
namespace {

using testing::clustered;
using testing::Vectors;

int polls_before_interrupt = 0;

/// Interrupts after `polls_before_interrupt` polls, and from then on every allocation fails.
bool interrupts_now() {
  if (--polls_before_interrupt > 0) return false;
  memory_is_gone = true;
  return true;
}

TEST_CASE("an addition interrupted without free memory is rolled back") {
  constexpr std::size_t before = 1500, dim = 24;
  const Vectors vectors = clustered(8000, dim, Element::f32, 1);
  Hnsw index(0, Metric::l2, {});
  index.add(vectors.view(0, before), 1);
  int stopped = 0;
  for (int polls = 1;; polls += 1 + polls / 2) {
    bool failed = false;
    polls_before_interrupt = polls;
    set_interrupt_hook(interrupts_now);
    try {
      index.add(vectors.view(before, 8000 - before), 1);
    } catch (const std::exception&) {
      failed = true;
    }
    set_interrupt_hook(nullptr);
    memory_is_gone = false;
    if (!failed) break;
    ++stopped;
    CHECK(index.records().size() == before);
    CHECK(index.records().next_id() >= static_cast<std::int64_t>(before));
    CHECK(testing::search(index, vectors.view(7, 1), 1).ids[0] == 7);
  }
  CHECK(stopped > 1);
  CHECK(index.records().size() == 8000);
  CHECK(index.unreachable() == 0);
}

}  // namespace
}  // namespace lookalike
