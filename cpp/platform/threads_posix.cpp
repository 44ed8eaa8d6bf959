#include "platform/threads.hpp"

#include <pthread.h>

#include <csignal>
#include <initializer_list>

namespace lookalike::platform {
namespace {

// The program's signal handlers may expect to run on the program's own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGPROF}) sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

unsigned start_threads(unsigned count, std::size_t stack_size, ThreadBody body, void* argument) noexcept {
  const SignalsBlocked blocked;  // a new thread inherits the mask
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  unsigned started = 0;
  for (pthread_t thread; started < count; ++started) {
    if (pthread_create(&thread, &attributes, body, argument)) break;
  }
  pthread_attr_destroy(&attributes);
  return started;
}

void name_this_thread([[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
  pthread_setname_np(name);
#endif
}

void call_in_forked_child(void (*handler)()) noexcept { pthread_atfork(nullptr, nullptr, handler); }

}  // namespace lookalike::platform
