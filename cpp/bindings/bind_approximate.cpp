#include "bindings/bind_approximate.hpp"

namespace lookalike {

CodeSettings code_settings(const std::string& codes, const std::string& keep) {
  const std::optional<Codes> kept = keep_named(keep);
  return {walk_codes_named(codes), kept.value_or(Codes::automatic), !kept};
}

TunedPairs pairs_of(const Tuning& tuning) {
  TunedPairs pairs;
  for (std::size_t i = 0; i < tuning.recalls.size(); ++i) pairs.emplace_back(tuning.recalls[i], tuning.efforts[i]);
  return pairs;
}

py::dict dict_of(const Promise& promise) {
  py::dict dict;
  dict["target"] = promise.target;
  dict["is_asked"] = promise.is_asked;
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
  tuning.usual = least_effort;
  tuning.promise.target = promise["target"].cast<float>();
  tuning.promise.is_asked = promise["is_asked"].cast<bool>();
  tuning.promise.effort = promise["effort"].cast<std::uint32_t>();
  tuning.promise.recall = promise["recall"].cast<float>();
  tuning.promise.queries = promise["queries"].cast<std::uint32_t>();
  tuning.promise.rows = promise["rows"].cast<std::uint64_t>();
  tuning.promise.changed = promise["changed"].cast<std::uint64_t>();
  return tuning;
}

}  // namespace lookalike
