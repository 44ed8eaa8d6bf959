// What was measured of an approximate index: how much effort (ef, nprobe) reaches which recall.
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
  std::vector<std::uint32_t> efforts;  // what reaches each
  std::size_t usual = 0;               // least effort of searches that name none, as queries of the user's need it
  Promise promise;

  /// Of searches that name none, among so many rows; 0: nothing was measured. `least`, `power`: see Promise.
  std::size_t default_effort(std::uint64_t rows, std::size_t least, double power) const noexcept {
    return std::max(usual, promise.effort_among(rows, least, power));
  }

  /// `effort` is its name in the file. The vectors are borrowed.
  void save(FileWriter& file, const std::string& effort) const;
  /// Throws CorruptFile.
  static Tuning load(const FileReader& file, const std::string& effort);
};

}  // namespace lookalike
