// Bindings shared by the approximate indexes: codes, effort and tuning to a recall.
#pragma once

#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind_index.hpp"
#include "bindings/names.hpp"
#include "index/approx/code_settings.hpp"
#include "index/approx/recall_evaluator.hpp"
#include "index/approx/tuning.hpp"

namespace lookalike {

CodeSettings code_settings(const std::string& codes, const std::string& keep);

/// Binds the RecallEvaluator class, which every approximate index creates.
void bind_recall_evaluator(py::module_& module);

template <class Index>
std::unique_ptr<RecallEvaluator> recall_evaluator(const Index& index, const py::object& queries, std::size_t k,
                                                  std::size_t count, std::uint64_t seed, unsigned threads) {
  if (queries.is_none()) {
    return without_gil([&] { return std::make_unique<RecallEvaluator>(index.evaluated(), count, k, seed, threads); });
  }
  const py::array array = queries;
  const VectorsView view = view_of(array, index.records().metric(), "queries");
  return without_gil([&] { return std::make_unique<RecallEvaluator>(index.evaluated(), view, k, threads); });
}

using TunedPairs = std::vector<std::pair<float, std::uint32_t>>;
TunedPairs pairs_of(const Tuning& tuning);
py::dict dict_of(const Promise& promise);
Tuning tuning_of(const TunedPairs& pairs, std::size_t least_effort, const py::dict& promise);

template <class Index>
const char* keep_of(const Index& index) {
  if (index.records().storage() == Storage::none) return name_of(Storage::none);
  if (const auto element = without_gil([&] { return index.records().element(); })) return name_of(*element);
  return index.settings().drops_originals ? "none" : name_of(index.settings().keep);
}

/// Binds the members that all approximate indexes share, except the constructor. `effort_name` is the index's name for
/// effort ("ef" or "nprobe"). `codes` returns the quantization of the searched codes.
template <class Index>
py::class_<Index> bind_approximate(py::module_& module, const std::string& name, const char* effort_name,
                                   Quantization (Index::*codes)() const) {
  using namespace pybind11::literals;
  return bind_index<Index>(module, name.c_str())
      .def("search", &search<Index, std::size_t>, "queries"_a, "k"_a, py::arg(effort_name), "where"_a, "threads"_a)
      .def("range", &range<Index>, "queries"_a, "radius"_a, "where"_a, "threads"_a)
      .def("recall_evaluator", &recall_evaluator<Index>, "queries"_a, "k"_a, "count"_a, "seed"_a, "threads"_a,
           py::keep_alive<0, 1>())
      .def(
          "usual_effort",
          [](const Index& index, std::size_t k) { return without_gil([&] { return index.default_effort(k); }); }, "k"_a)
      .def(
          "set_tuned",
          [](Index& index, const TunedPairs& tuned, std::size_t least_effort, const py::dict& promise) {
            Tuning tuning = tuning_of(tuned, least_effort, promise);
            without_gil([&] { index.set_tuning(std::move(tuning)); });
          },
          "tuned"_a, "least_effort"_a, "promise"_a)
      .def_property_readonly("promise",
                             [](const Index& index) { return dict_of(without_gil([&] { return index.promise(); })); })
      .def_property_readonly("aged",
                             [](const Index& index) { return without_gil([&] { return index.untrained_share(); }); })
      .def_property_readonly("least_effort",
                             [](const Index& index) { return without_gil([&] { return index.tuning().min_effort; }); })
      .def_property_readonly("tuned",
                             [](const Index& index) { return pairs_of(without_gil([&] { return index.tuning(); })); })
      .def_property_readonly(
          "codes", [codes](const Index& index) { return name_of(without_gil([&] { return (index.*codes)(); })); })
      .def("unreachable", [](const Index& index) { return without_gil([&] { return index.unreachable(); }); })
      .def_property_readonly("is_exact",
                             [](const Index& index) { return without_gil([&] { return index.is_exact(); }); })
      .def_property_readonly("keep", &keep_of<Index>)
      .def_property_readonly("seed", [](const Index& index) { return index.settings().seed; });
}

}  // namespace lookalike
