// Parallel loops on one thread pool for the whole library: no OpenMP, fork-safe, limited to this process's CPUs.
#pragma once

#include <cstddef>

#include "base/function_ref.hpp"

namespace lookalike {

/// The number of CPUs this process may use: the minimum of its affinity mask, its CPU quota and LOOKALIKE_NUM_THREADS.
/// At least 1.
unsigned available_threads();

/// Runs body(task, worker) once for every task in [0, tasks), on at most `threads` threads including the caller (0
/// means available_threads()). Each thread keeps one `worker` number below `threads` during the call. Tasks start in
/// order. With one thread or one task, everything runs on the calling thread.
///
/// After an exception in a body no further task starts; the first exception is rethrown when all workers have finished.
/// The caller polls for interrupts (interrupt.hpp) between tasks and throws Interrupted. Thread-safe and reentrant: a
/// body may call parallel_for.
void parallel_for(std::size_t tasks, unsigned threads, function_ref<void(std::size_t task, unsigned worker)> body);

}  // namespace lookalike
