#include "bindings/bind_hnsw.hpp"

#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind_index.hpp"
#include "bindings/names.hpp"
#include "indexes/hnsw.hpp"
#include "indexes/probe.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

std::unique_ptr<Hnsw> make(std::size_t dim, const std::string& metric, const std::string& codes,
                           const std::string& keep, std::size_t M, std::size_t ef_construction, std::uint64_t seed) {
  HnswSettings settings;
  settings.M = M;
  settings.ef_construction = ef_construction;
  settings.codes = walk_codes_named(codes);
  const std::optional<Codes> kept = keep_named(keep);
  settings.keep = kept.value_or(Codes::automatic);
  settings.keeps_codes_only = !kept;
  settings.seed = seed;
  return std::make_unique<Hnsw>(dim, metric_named(metric), settings);
}

const char* keep_of(const Hnsw& index) {
  if (const auto element = without_gil([&] { return index.records().element(); })) return name_of(*element);
  return index.settings().keeps_codes_only ? "none" : name_of(index.settings().keep);
}

std::unique_ptr<Probe> probe(const Hnsw& index, const py::object& queries, std::size_t k, std::size_t count,
                             std::uint64_t seed, unsigned threads) {
  if (queries.is_none()) return without_gil([&] { return std::make_unique<Probe>(index, count, k, seed, threads); });
  const py::array array = queries;
  const VectorsView view = view_of(array, index.records().metric(), "queries");
  return without_gil([&] { return std::make_unique<Probe>(index, view, k, threads); });
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

std::vector<std::pair<float, std::uint32_t>> tuned(const Hnsw& index) {
  std::vector<std::pair<float, std::uint32_t>> pairs;
  for (const Hnsw::Tuned& one : without_gil([&] { return index.tuned(); })) pairs.emplace_back(one.recall, one.ef);
  return pairs;
}

void set_tuned(Hnsw& index, const std::vector<std::pair<float, std::uint32_t>>& pairs, std::size_t usual_ef) {
  std::vector<Hnsw::Tuned> tuned;
  for (const auto& [recall, ef] : pairs) tuned.push_back({recall, ef});
  without_gil([&] { index.set_tuned(std::move(tuned), usual_ef); });
}

}  // namespace

void bind_hnsw(py::module_& module) {
  py::class_<Probe>(module, "Probe")
      .def_property_readonly("count", &Probe::count)
      .def(
          "recall",
          [](const Probe& one, std::size_t ef, unsigned threads) {
            const Probe::Hits hits = without_gil([&] { return one.recall(ef, threads); });
            return py::make_tuple(hits.found, hits.wanted);
          },
          "ef"_a, "threads"_a);

  bind_index<Hnsw>(module, "HNSW")
      .def(py::init(&make), "dim"_a, "metric"_a, "codes"_a, "keep"_a, "M"_a, "ef_construction"_a, "seed"_a)
      .def("search", &search<Hnsw, std::size_t>, "queries"_a, "k"_a, "ef"_a, "where"_a, "threads"_a)
      .def("range", &range<Hnsw>, "queries"_a, "radius"_a, "where"_a, "threads"_a)
      .def("probe", &probe, "queries"_a, "k"_a, "count"_a, "seed"_a, "threads"_a, py::keep_alive<0, 1>())
      .def("profile", &profile, "queries"_a, "k"_a, "ef"_a, "threads"_a)
      .def(
          "usual_ef", [](const Hnsw& index, std::size_t k) { return without_gil([&] { return index.usual_ef(k); }); },
          "k"_a)
      .def("unreachable", [](const Hnsw& index) { return without_gil([&] { return index.unreachable(); }); })
      .def("set_tuned", &set_tuned, "tuned"_a, "usual_ef"_a)
      .def_property_readonly("tuned", &tuned)
      .def_property_readonly("codes",
                             [](const Hnsw& index) { return name_of(without_gil([&] { return index.walk_codes(); })); })
      .def_property_readonly("keep", &keep_of)
      .def_property_readonly("M", [](const Hnsw& index) { return index.settings().M; })
      .def_property_readonly("ef_construction", [](const Hnsw& index) { return index.settings().ef_construction; })
      .def_property_readonly("seed", [](const Hnsw& index) { return index.settings().seed; });
}

}  // namespace lookalike
