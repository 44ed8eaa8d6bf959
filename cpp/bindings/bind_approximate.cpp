#include "bindings/bind_approximate.hpp"

namespace lookalike {

CodeSettings code_settings(const std::string& codes, const std::string& keep) {
  const std::optional<Storage> storage = keep_from(keep);
  return {quantization_from(codes), storage.value_or(Storage::automatic), !storage};
}

TunedPairs pairs_of(const Tuning& tuning) {
  TunedPairs pairs;
  for (std::size_t i = 0; i < tuning.recalls.size(); ++i) pairs.emplace_back(tuning.recalls[i], tuning.efforts[i]);
  return pairs;
}

py::dict dict_of(const Promise& promise) {
  py::dict dict;
  dict["target"] = promise.target;
  dict["is_asked"] = promise.is_requested;
  dict["effort"] = promise.effort;
  dict["recall"] = promise.recall;
  dict["queries"] = promise.queries;
  dict["rows"] = promise.rows;
  dict["changed"] = promise.changed;
  return dict;
}

Tuning tuning_of(const TunedPairs& pairs, std::size_t least_effort, const py::dict& promise) {
  Tuning tuning;
  for (const auto& [recall, effort] : pairs) {
    tuning.recalls.push_back(recall);
    tuning.efforts.push_back(effort);
  }
  tuning.min_effort = least_effort;
  tuning.promise.target = promise["target"].cast<float>();
  tuning.promise.is_requested = promise["is_asked"].cast<bool>();
  tuning.promise.effort = promise["effort"].cast<std::uint32_t>();
  tuning.promise.recall = promise["recall"].cast<float>();
  tuning.promise.queries = promise["queries"].cast<std::uint32_t>();
  tuning.promise.rows = promise["rows"].cast<std::uint64_t>();
  tuning.promise.changed = promise["changed"].cast<std::uint64_t>();
  return tuning;
}

void bind_recall_evaluator(py::module_& module) {
  using namespace pybind11::literals;
  py::class_<RecallEvaluator>(module, "RecallEvaluator")
      .def_property_readonly("count", &RecallEvaluator::count)
      .def(
          "recall",
          [](const RecallEvaluator& evaluator, std::size_t effort, unsigned threads) {
            const auto hits = without_gil([&] { return evaluator.recall(effort, threads); });
            return py::make_tuple(hits.found, hits.total);
          },
          "effort"_a, "threads"_a);
}

}  // namespace lookalike
