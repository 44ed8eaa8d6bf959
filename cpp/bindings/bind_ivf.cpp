#include "bindings/bind_ivf.hpp"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind_index.hpp"
#include "bindings/names.hpp"
#include "indexes/ivf.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

std::unique_ptr<Ivf> make(std::size_t dim, const std::string& metric, const std::string& codes, const std::string& keep,
                          std::size_t nlist, std::uint64_t seed) {
  IvfSettings settings;
  settings.nlist = nlist;
  settings.codes = walk_codes_named(codes);
  const std::optional<Codes> kept = keep_named(keep);
  settings.keep = kept.value_or(Codes::automatic);
  settings.keeps_codes_only = !kept;
  settings.seed = seed;
  return std::make_unique<Ivf>(dim, metric_named(metric), settings);
}

const char* keep_of(const Ivf& index) {
  if (const auto element = without_gil([&] { return index.records().element(); })) return name_of(*element);
  return index.settings().keeps_codes_only ? "none" : name_of(index.settings().keep);
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

std::vector<std::pair<float, std::uint32_t>> tuned(const Ivf& index) {
  std::vector<std::pair<float, std::uint32_t>> pairs;
  for (const Ivf::Tuned& one : without_gil([&] { return index.tuned(); })) pairs.emplace_back(one.recall, one.nprobe);
  return pairs;
}

void set_tuned(Ivf& index, const std::vector<std::pair<float, std::uint32_t>>& pairs, std::size_t usual_nprobe) {
  std::vector<Ivf::Tuned> tuned;
  for (const auto& [recall, nprobe] : pairs) tuned.push_back({recall, nprobe});
  without_gil([&] { index.set_tuned(std::move(tuned), usual_nprobe); });
}

}  // namespace

void bind_ivf(py::module_& module) {
  bind_index<Ivf>(module, "IVF")
      .def(py::init(&make), "dim"_a, "metric"_a, "codes"_a, "keep"_a, "nlist"_a, "seed"_a)
      .def("search", &search<Ivf, std::size_t>, "queries"_a, "k"_a, "nprobe"_a, "where"_a, "threads"_a)
      .def("range", &range<Ivf>, "queries"_a, "radius"_a, "where"_a, "threads"_a)
      .def("verify", [](const Ivf& index) { without_gil([&] { index.verify(); }); })
      .def("profile", &profile, "queries"_a, "k"_a, "nprobe"_a, "threads"_a)
      .def(
          "usual_effort",
          [](const Ivf& index, std::size_t k) { return without_gil([&] { return index.usual_effort(k); }); }, "k"_a)
      .def("set_tuned", &set_tuned, "tuned"_a, "usual_nprobe"_a)
      .def_property_readonly("tuned", &tuned)
      .def_property_readonly(
          "codes", [](const Ivf& index) { return name_of(without_gil([&] { return index.scanned_codes(); })); })
      .def_property_readonly("keep", &keep_of)
      .def_property_readonly("nlist",
                             [](const Ivf& index) {
                               const std::size_t lists = without_gil([&] { return index.list_count(); });
                               return lists ? lists : index.settings().nlist;
                             })
      .def_property_readonly("seed", [](const Ivf& index) { return index.settings().seed; });
}

}  // namespace lookalike
