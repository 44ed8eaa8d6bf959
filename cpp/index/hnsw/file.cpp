#include <cmath>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "index/hnsw/hnsw.hpp"

namespace lookalike {

void Hnsw::save(function_ref<void(const FileWriter&)> write) const {
  const Records::WriterLock rows = records_.freeze();
  FileWriter file(kind);
  rows->save(file);
  file.value<std::uint64_t>("M", settings_.M);
  file.value<std::uint64_t>("ef_construction", settings_.ef_construction);
  settings_.save(file);
  file.value<std::uint64_t>("seed", settings_.seed);
  tuning_.save(file, "ef");
  graph_.save(file);
  write(file);
}

std::unique_ptr<Hnsw> Hnsw::load(const FileReader& file) {
  HnswSettings settings{CodeSettings::load(file)};
  settings.M = file.value<std::uint64_t>("M");
  settings.ef_construction = file.value<std::uint64_t>("ef_construction");
  settings.seed = file.value<std::uint64_t>("seed");
  Rows rows = Rows::load(file);
  std::unique_ptr<Hnsw> index;
  try {
    if (settings.storage(rows.metric()) != rows.storage())
      throw InvalidArgument("the settings ask for another storage of the vectors");
    Hnsw(0, rows.metric(), settings);  // validates the settings
    HnswGraph graph = HnswGraph::load(file, settings.degree(), rows);
    index.reset(new Hnsw(std::move(rows), std::move(graph), settings));
  } catch (const InvalidArgument& error) {
    throw CorruptFile(std::string("the index's settings contradict each other: ") + error.what());
  }
  index->tuning_ = Tuning::load(file, "ef");
  return index;
}

}  // namespace lookalike
