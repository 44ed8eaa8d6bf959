#include <cmath>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "indexes/hnsw.hpp"

namespace lookalike {

void Hnsw::save(function_ref<void(const FileWriter&)> write) const {
  const Records::Frozen rows = records_.freeze();
  FileWriter file(kind);
  rows->save(file);
  file.value<std::uint64_t>("M", settings_.M);
  file.value<std::uint64_t>("ef_construction", settings_.ef_construction);
  file.value<std::uint8_t>("walk_codes", static_cast<std::uint8_t>(settings_.codes));
  file.value<std::uint8_t>("keep", static_cast<std::uint8_t>(settings_.keep));
  file.value<std::uint8_t>("keeps_codes_only", settings_.keeps_codes_only);
  file.value<std::uint64_t>("seed", settings_.seed);
  file.value<std::uint64_t>("usual_ef", usual_ef_);
  std::vector<float> recalls;
  std::vector<std::uint32_t> efs;
  for (const Tuned& tuned : tuned_) {
    recalls.push_back(tuned.recall);
    efs.push_back(tuned.ef);
  }
  file.array<float>("tuned_recalls", recalls);
  file.array<std::uint32_t>("tuned_efs", efs);
  graph_.save(file);
  write(file);
}

std::unique_ptr<Hnsw> Hnsw::load(const FileReader& file) {
  HnswSettings settings;
  settings.M = file.value<std::uint64_t>("M");
  settings.ef_construction = file.value<std::uint64_t>("ef_construction");
  const auto codes = file.value<std::uint8_t>("walk_codes"), keep = file.value<std::uint8_t>("keep");
  if (codes > static_cast<int>(WalkCodes::bits)) throw CorruptFile("unknown walk_codes " + std::to_string(codes));
  if (keep > static_cast<int>(Codes::bits)) throw CorruptFile("unknown keep " + std::to_string(keep));
  settings.codes = static_cast<WalkCodes>(codes);
  settings.keep = static_cast<Codes>(keep);
  settings.keeps_codes_only = file.value<std::uint8_t>("keeps_codes_only") != 0;
  settings.seed = file.value<std::uint64_t>("seed");
  Rows rows = Rows::load(file);
  std::unique_ptr<Hnsw> index;
  try {
    if (settings.store_codes(rows.metric()) != rows.codes()) throw InvalidArgument("the vectors are kept otherwise");
    Hnsw(0, rows.metric(), settings);  // throws where the settings are none
    HnswGraph graph = HnswGraph::load(file, settings.degree(), rows);
    index.reset(new Hnsw(std::move(rows), std::move(graph), settings));
  } catch (const InvalidArgument& error) {
    throw CorruptFile(std::string("the index's settings do not go together: ") + error.what());
  }
  index->usual_ef_ = file.value<std::uint64_t>("usual_ef");
  const Array<float> recalls = file.array<float>("tuned_recalls");
  const Array<std::uint32_t> efs = file.array<std::uint32_t>("tuned_efs");
  if (recalls.size() != efs.size() || index->usual_ef_ > max_rows) {
    throw CorruptFile("sections 'tuned_recalls' and 'tuned_efs' do not agree");
  }
  for (std::size_t i = 0; i < efs.size(); ++i) {
    if (!(recalls[i] >= 0 && recalls[i] <= 1)) throw CorruptFile("section 'tuned_recalls' holds no recall");
    index->tuned_.push_back({recalls[i], efs[i]});
  }
  return index;
}

}  // namespace lookalike
