// Threads and forks, where std::thread is not enough: it sets neither the size of stacks nor what signals arrive.
#pragma once

#include <cstddef>

namespace lookalike::platform {

/// What a thread runs; its return value is ignored.
using ThreadBody = void* (*)(void* argument) noexcept;

/// Starts up to `count` threads that run body(argument), with stacks of `stack_size` bytes. Nobody joins them. Returns
/// how many were started: fewer where the system refuses. Signals go to other threads, except those that report a fault
/// of the thread itself.
unsigned start_threads(unsigned count, std::size_t stack_size, ThreadBody body, void* argument) noexcept;

/// For debuggers and profilers. At most 15 bytes.
void name_this_thread(const char* name) noexcept;

/// From now on the child of a fork calls `handler` before anything else. Does nothing where there is no fork.
void call_in_forked_child(void (*handler)()) noexcept;

}  // namespace lookalike::platform
