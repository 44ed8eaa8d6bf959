// Runs a kernel many times and returns the seconds taken, so that no call from Python is inside a measurement.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/table.hpp"

namespace {

/// One query and the rows it is measured against.
struct Batch {
  const void* query;
  const std::byte* rows;
  std::size_t stride, count, dim;
};

template <class Work>
double seconds_of(std::size_t rounds, Work work) {
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < rounds; ++i) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class Q>
double seconds_of_scan(const lookalike::Kernels<Q>& kernel, const Batch& batch, std::size_t rounds, float* out) {
  return seconds_of(rounds, [&] {
    kernel.scan(static_cast<const Q*>(batch.query), batch.rows, batch.stride, batch.count, batch.dim, out);
  });
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) const char* isa() { return lookalike::kernels().isa; }

/// Seconds of `rounds` scans, or -1 for a name that is no kernel.
__attribute__((visibility("default"))) double scan_seconds(const char* name, const Batch* batch, std::size_t rounds,
                                                           float* out) {
  const lookalike::KernelTable& table = lookalike::kernels();
  const std::string_view kernel(name);
  if (kernel == "squared_l2_f32") return seconds_of_scan(table.squared_l2_f32, *batch, rounds, out);
  if (kernel == "squared_l2_f16") return seconds_of_scan(table.squared_l2_f16, *batch, rounds, out);
  if (kernel == "squared_l2_u8") return seconds_of_scan(table.squared_l2_u8, *batch, rounds, out);
  if (kernel == "inner_product_f32") return seconds_of_scan(table.inner_product_f32, *batch, rounds, out);
  if (kernel == "inner_product_f16") return seconds_of_scan(table.inner_product_f16, *batch, rounds, out);
  if (kernel == "inner_product_u8") return seconds_of_scan(table.inner_product_u8, *batch, rounds, out);
  return -1;
}

/// Seconds of `rounds` passes of a function that measures one pair, as NumKong hands out: (a, b, dim, result). `out`
/// has room for eight bytes a row, the widest result there is.
__attribute__((visibility("default"))) double pair_seconds(void* function, const Batch* batch, std::size_t rounds,
                                                           double* out) {
  const auto measure = reinterpret_cast<void (*)(const void*, const void*, std::size_t, void*)>(function);
  return seconds_of(rounds, [&] {
    for (std::size_t i = 0; i < batch->count; ++i)
      measure(batch->query, batch->rows + i * batch->stride, batch->dim, out + i);
  });
}

}  // extern "C"
