#include "bindings/bind_ivf.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "bindings/bind_approximate.hpp"
#include "index/ivf/build.hpp"
#include "index/ivf/ivf.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

IvfSettings settings_of(const std::string& codes, const std::string& keep, std::size_t nlist, std::uint64_t seed) {
  IvfSettings settings{code_settings(codes, keep)};
  settings.nlist = nlist;
  settings.seed = seed;
  return settings;
}

std::unique_ptr<Ivf> make(std::size_t dim, const std::string& metric, const std::string& codes, const std::string& keep,
                          std::size_t nlist, std::uint64_t seed) {
  return std::make_unique<Ivf>(dim, metric_from(metric), settings_of(codes, keep, nlist, seed));
}

std::unique_ptr<IvfBuild> make_build(const std::filesystem::path& path, const std::string& metric,
                                     const std::string& codes, const std::string& keep, std::size_t nlist,
                                     std::uint64_t seed, std::size_t memory) {
  return std::make_unique<IvfBuild>(path, metric_from(metric), settings_of(codes, keep, nlist, seed), memory);
}

void append_to(IvfBuild& build, const py::array& vectors, unsigned threads) {
  const VectorsView view = view_of(vectors, build.metric(), "vectors");
  without_gil([&] { build.append(view, threads); });
}

void finish_build(IvfBuild& build, const py::object& ids, unsigned threads, const py::function& progress) {
  std::optional<IdsArgument> given;
  if (!ids.is_none()) given.emplace(ids);
  const std::optional<IdsView> view = given ? std::optional(given->view()) : std::nullopt;
  without_gil([&] { build.finish(view, threads, [&](std::size_t rows) { with_gil([&] { progress(rows); }); }); });
}

py::dict profile(const Ivf& index, const py::array& queries, std::size_t k, std::size_t nprobe, unsigned threads) {
  const VectorsView view = view_of(queries, index.records().metric(), "queries");
  const IvfCosts costs = without_gil([&] { return index.costs(view, k, nprobe, threads); });
  const double count = static_cast<double>(std::max<std::size_t>(view.count, 1));
  py::dict means;
  means["lists"] = static_cast<double>(costs.lists) / count;
  means["distances"] = static_cast<double>(costs.distances) / count;
  means["reranked"] = static_cast<double>(costs.reranked) / count;
  means["bytes"] = static_cast<double>(costs.bytes) / count;
  return means;
}

/// The number of inverted lists; before training, the requested number.
std::size_t nlist(const Ivf& index) {
  const std::size_t lists = without_gil([&] { return index.list_count(); });
  return lists ? lists : index.settings().nlist;
}

}  // namespace

void bind_ivf(py::module_& module) {
  bind_approximate(module, "IVF", "nprobe", &Ivf::scanned_codes)
      .def(py::init(&make), "dim"_a, "metric"_a, "codes"_a, "keep"_a, "nlist"_a, "seed"_a)
      .def("verify", [](const Ivf& index) { without_gil([&] { index.verify(); }); })
      .def("profile", &profile, "queries"_a, "k"_a, "nprobe"_a, "threads"_a)
      .def_property_readonly("nlist", &nlist);

  py::class_<IvfBuild> builder(module, "IVFBuild");
  builder.attr("least_memory") = IvfBuild::min_memory;
  builder.def(py::init(&make_build), "path"_a, "metric"_a, "codes"_a, "keep"_a, "nlist"_a, "seed"_a, "memory"_a)
      .def("require_memory", &IvfBuild::require_memory, "rows"_a, "dim"_a)
      .def("append", &append_to, "vectors"_a, "threads"_a)
      .def("finish", &finish_build, "ids"_a, "threads"_a, "progress"_a)
      .def("__len__", &IvfBuild::count);
}

}  // namespace lookalike
