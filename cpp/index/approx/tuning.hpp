// Tuning results of an approximate index: which effort (ef, nprobe) reaches which recall.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "index/approx/promise.hpp"
#include "storage/file.hpp"

namespace lookalike {

struct Tuning {
  std::vector<float> recalls;          // ascending
  std::vector<std::uint32_t> efforts;  // efforts[i] reaches recalls[i]
  std::size_t min_effort = 0;          // a lower limit for the default effort, tuned on the user's queries
  Promise promise;

  /// The effort of searches that request none, for `rows` rows; 0 if nothing was measured. For the other arguments see
  /// Promise::effort_for.
  std::size_t default_effort(std::uint64_t rows, std::size_t min_effort_to_scale, double exponent) const noexcept {
    return std::max(min_effort, promise.effort_for(rows, min_effort_to_scale, exponent));
  }

  /// `effort` is the name of the effort in the file. `file` borrows the arrays until it is written.
  void save(FileWriter& file, const std::string& effort) const;
  /// Throws CorruptFile.
  static Tuning load(const FileReader& file, const std::string& effort);
};

}  // namespace lookalike
