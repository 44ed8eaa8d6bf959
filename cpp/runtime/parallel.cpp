#include "runtime/parallel.hpp"

#include <algorithm>

#include "runtime/batch.hpp"
#include "runtime/thread_pool.hpp"

namespace lookalike {

void parallel_for(std::size_t tasks, unsigned threads, function_ref<void(std::size_t task, unsigned worker)> body) {
  if (threads == 0) threads = tasks > 1 ? available_threads() : 1;  // the query costs a microsecond
  Batch batch(tasks, static_cast<unsigned>(std::min<std::size_t>(threads, tasks)), body);
  if (batch.threads() > 1) return ThreadPool::instance().run(batch);
  batch.run(0);
  batch.rethrow();
}

}  // namespace lookalike
