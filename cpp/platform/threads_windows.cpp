#include "platform/threads.hpp"

#include <process.h>

#include <cstdint>
#include <new>

#include "platform/windows_api.hpp"

namespace lookalike::platform {
namespace {

struct Start {
  ThreadBody body;
  void* argument;
};

unsigned __stdcall run(void* start) {
  const Start copy = *static_cast<Start*>(start);
  delete static_cast<Start*>(start);
  copy.body(copy.argument);
  return 0;
}

}  // namespace

unsigned start_threads(unsigned count, std::size_t stack_size, ThreadBody body, void* argument) noexcept {
  unsigned started = 0;
  for (; started < count; ++started) {
    Start* const start = new (std::nothrow) Start{body, argument};
    if (!start) break;
    const std::uintptr_t thread = ::_beginthreadex(nullptr, static_cast<unsigned>(stack_size), run, start,
                                                   STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
    if (!thread) {
      delete start;
      break;
    }
    ::CloseHandle(reinterpret_cast<HANDLE>(thread));
  }
  return started;
}

// SetThreadDescription came with Windows 10, and is not in every SDK.
void name_this_thread(const char* name) noexcept {
  using Describe = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  const HMODULE kernel = ::GetModuleHandleW(L"kernel32.dll");
  const FARPROC found = kernel ? ::GetProcAddress(kernel, "SetThreadDescription") : nullptr;
  if (!found) return;
  wchar_t wide[16] = {};
  for (int i = 0; i < 15 && name[i]; ++i) wide[i] = static_cast<unsigned char>(name[i]);
  reinterpret_cast<Describe>(reinterpret_cast<void (*)()>(found))(::GetCurrentThread(), wide);
}

void call_in_forked_child(void (*)()) noexcept {}

}  // namespace lookalike::platform
