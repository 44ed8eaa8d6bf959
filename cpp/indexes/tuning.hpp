// What was measured of an approximate index: how much effort (ef, nprobe) reaches which recall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/file.hpp"

namespace lookalike {

struct Tuning {
  std::vector<float> recalls;          // ascending
  std::vector<std::uint32_t> efforts;  // what reaches each
  std::size_t usual = 0;               // of searches that name none; 0: not tuned

  /// `effort` is its name in the file. The vectors are borrowed.
  void save(FileWriter& file, const std::string& effort) const;
  /// Throws CorruptFile.
  static Tuning load(const FileReader& file, const std::string& effort);
};

}  // namespace lookalike
