// The rows of an index as codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/array.hpp"
#include "codes/code_choice.hpp"
#include "codes/encoder.hpp"
#include "codes/extension.hpp"
#include "codes/plane.hpp"
#include "storage/file.hpp"

namespace lookalike {

class CodePlane {
 public:
  /// Learns from at most `most_learned` rows of `plane`, which are not bits, and encodes them all. No width: chosen by
  /// measuring, and nullopt where no codes are good enough.
  static std::optional<CodePlane> learn(const Plane& plane, std::optional<CodeWidth> width, std::uint64_t seed,
                                        unsigned threads);
  static constexpr std::size_t most_learned = 8192;

  const Encoder& encoder() const noexcept { return encoder_; }
  std::size_t rows() const noexcept { return codes_.size() / encoder_.stride(); }
  std::size_t bytes() const noexcept { return codes_.bytes_owned() + encoder_.bytes(); }

  Scorer from_query(const float* point, ScorerSpace& space) const {
    return encoder_.from_query(point, codes_.data(), space);
  }
  Scorer from_row(Row row, ScorerSpace& space) const { return encoder_.from_row(row, codes_.data(), space); }

  /// The codes of rows of `plane`, dense.
  Array<std::byte> encode(const Plane& plane, unsigned threads) const;
  /// Room behind the codes there are for those of `plane`'s rows, prepared while others read.
  Extension<std::byte> grow(const Plane& plane, unsigned threads);
  void overwrite(Row row, const std::byte* code) noexcept;
  void truncate(std::size_t rows) noexcept { codes_.resize_for_overwrite(rows * encoder_.stride()); }
  /// The given rows only, in that order.
  CodePlane picked(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree.
  static CodePlane load(const FileReader& file, std::size_t rows);

 private:
  explicit CodePlane(Encoder encoder) : encoder_(std::move(encoder)) {}

  Encoder encoder_;
  Array<std::byte> codes_;
};

}  // namespace lookalike
