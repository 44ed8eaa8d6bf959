#include "index/approx/tuning.hpp"

#include <algorithm>

#include "base/errors.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

void Tuning::save(FileWriter& file, const std::string& effort) const {
  file.value<std::uint64_t>("usual_" + effort, min_effort);
  file.array<float>("tuned_recalls", recalls);
  file.array<std::uint32_t>("tuned_" + effort + "s", efforts);
  promise.save(file);
}

Tuning Tuning::load(const FileReader& file, const std::string& effort) {
  const Array<float> recalls = file.array<float>("tuned_recalls");
  const Array<std::uint32_t> efforts = file.array<std::uint32_t>("tuned_" + effort + "s");
  Tuning tuning = {{recalls.begin(), recalls.end()}, {efforts.begin(), efforts.end()}, 0, Promise::load(file)};
  tuning.min_effort = file.value<std::uint64_t>("usual_" + effort);
  if (recalls.size() != efforts.size() || tuning.min_effort > max_rows) {
    throw CorruptFile("sections 'tuned_recalls' and 'tuned_" + effort + "s' do not agree");
  }
  if (!std::all_of(recalls.begin(), recalls.end(), [](float recall) { return recall >= 0 && recall <= 1; })) {
    throw CorruptFile("section 'tuned_recalls' holds a recall that is not between 0 and 1");
  }
  return tuning;
}

}  // namespace lookalike
