// One thread pool for the whole library: no OpenMP, safe after fork, sized to what this process may use.
#pragma once

#include <cstddef>

#include "base/function_ref.hpp"

namespace lookalike {

/// CPUs this process may use: its affinity mask, cut by its CPU quota. At least 1. LOOKALIKE_NUM_THREADS lowers
/// it.
unsigned available_threads();

/// Runs body(task, worker) once for every task in [0, tasks), on at most `threads` threads (0: available_threads()),
/// the caller among them; worker < threads is stable for a thread during the call. Tasks are handed out in order.
/// With one thread or one task nothing leaves the calling thread. The first exception a body throws stops the handing
/// out, and is rethrown here after every worker has come to rest. Between tasks the caller polls for interrupts
/// (interrupt.hpp) and throws Interrupted. May be called from several threads at once, and from inside a body.
void parallel_for(std::size_t tasks, unsigned threads, function_ref<void(std::size_t task, unsigned worker)> body);

}  // namespace lookalike
