#include "bindings/bind_hnsw.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "bindings/bind_approximate.hpp"
#include "index/hnsw/hnsw.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

std::unique_ptr<Hnsw> make(std::size_t dim, const std::string& metric, const std::string& codes,
                           const std::string& keep, std::size_t M, std::size_t ef_construction, std::uint64_t seed) {
  HnswSettings settings{code_settings(codes, keep)};
  settings.M = M;
  settings.ef_construction = ef_construction;
  settings.seed = seed;
  return std::make_unique<Hnsw>(dim, metric_from(metric), settings);
}

py::dict profile(const Hnsw& index, const py::array& queries, std::size_t k, std::size_t ef, unsigned threads) {
  const VectorsView view = view_of(queries, index.records().metric(), "queries");
  const SearchCosts costs = without_gil([&] { return index.costs(view, k, ef, threads); });
  const double count = static_cast<double>(std::max<std::size_t>(view.count, 1));
  py::dict means;
  means["hops"] = static_cast<double>(costs.hops) / count;
  means["distances"] = static_cast<double>(costs.distances) / count;
  means["reranked"] = static_cast<double>(costs.reranked) / count;
  means["bytes"] = static_cast<double>(costs.bytes) / count;
  return means;
}

}  // namespace

void bind_hnsw(py::module_& module) {
  bind_approximate(module, "HNSW", "ef", &Hnsw::quantization)
      .def(py::init(&make), "dim"_a, "metric"_a, "codes"_a, "keep"_a, "M"_a, "ef_construction"_a, "seed"_a)
      .def("profile", &profile, "queries"_a, "k"_a, "ef"_a, "threads"_a)
      .def_property_readonly("M", [](const Hnsw& index) { return index.settings().M; })
      .def_property_readonly("ef_construction", [](const Hnsw& index) { return index.settings().ef_construction; });
}

}  // namespace lookalike
