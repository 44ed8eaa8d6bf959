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

Tuning tuning_of(const TunedPairs& pairs, std::size_t usual_effort) {
  Tuning tuning;
  for (const auto& [recall, effort] : pairs) {
    tuning.recalls.push_back(recall);
    tuning.efforts.push_back(effort);
  }
  tuning.usual = usual_effort;
  return tuning;
}

}  // namespace lookalike
