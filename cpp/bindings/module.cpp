// The Python module lookalike._core.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/bind_approximate.hpp"
#include "bindings/bind_hnsw.hpp"
#include "bindings/bind_index.hpp"
#include "bindings/bind_ivf.hpp"
#include "bindings/bind_kmeans.hpp"
#include "bindings/errors.hpp"
#include "bindings/names.hpp"
#include "index/any_index.hpp"
#include "kernels/dispatch.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

py::object load(const FileReader& file) {
  AnyIndex index = without_gil([&] { return Indexes::load(file); });
  return std::visit([](auto& loaded) { return py::cast(std::move(loaded)); }, index);
}

py::object load_path(const std::filesystem::path& path, bool mmap) {
  return load(without_gil([&] { return FileReader::open(path, mmap, &Indexes::defers); }));
}

py::object load_bytes(const py::buffer& buffer) {
  const py::buffer_info info = buffer.request();
  const auto* first = static_cast<const std::byte*>(info.ptr);
  auto bytes = std::make_shared<const std::vector<std::byte>>(first, first + info.size * info.itemsize);
  return load(without_gil([&] { return FileReader::from_bytes(std::move(bytes)); }));
}

std::vector<std::string> runnable_isas() {
  std::vector<std::string> names;
  for (const KernelTable* table : runnable_kernels()) names.emplace_back(table->isa);
  return names;
}

/// Fails the import if LOOKALIKE_ISA is unavailable; falling back would silently test or time another instruction set.
void require_forced_isa() {
  const char* requested = std::getenv("LOOKALIKE_ISA");
  if (!requested || !*requested) return;
  std::string names;
  for (const KernelTable* table : runnable_kernels()) {
    if (std::strcmp(table->isa, requested) == 0) return;
    names.append(names.empty() ? "" : ", ").append(table->isa);
  }
  throw py::import_error(
      std::string("LOOKALIKE_ISA is '").append(requested).append("'; this CPU runs: ").append(names));
}

}  // namespace

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
  require_forced_isa();
  module.attr("__version__") = LOOKALIKE_VERSION;
  bind_errors(module);

  bind_index<Flat>(module, "Flat")
      .def(py::init([](std::size_t dim, const std::string& metric, const std::string& codes) {
             return std::make_unique<Flat>(dim, metric_from(metric), storage_from(codes));
           }),
           "dim"_a, "metric"_a, "codes"_a)
      .def("search", &search<Flat>, "queries"_a, "k"_a, "where"_a, "threads"_a)
      .def("range", &range<Flat>, "queries"_a, "radius"_a, "where"_a, "threads"_a);

  bind_recall_evaluator(module);
  bind_hnsw(module);
  bind_ivf(module);
  bind_kmeans(module);

  module.def("load_path", &load_path, "path"_a, "mmap"_a);
  module.def("load_bytes", &load_bytes, "data"_a);
  module.def("isa", [] { return kernels().isa; });
  module.def("runnable_isas", &runnable_isas);
  module.def("available_threads", &available_threads);
}

}  // namespace lookalike
