// The rows of an index as codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/array.hpp"
#include "distance/metric_space.hpp"
#include "quant/code_choice.hpp"
#include "quant/encoder.hpp"
#include "rows/extension.hpp"
#include "storage/file.hpp"

namespace lookalike {

class QuantizedRows {
 public:
  /// Learns from at most `most_learned` rows of `space`, which are not bits, and encodes them all. No width: chosen by
  /// measuring, and nullopt where no codes are good enough.
  static std::optional<QuantizedRows> learn(const MetricSpace& space, std::optional<CodeWidth> width,
                                            std::uint64_t seed, unsigned threads);
  static constexpr std::size_t most_learned = 8192;

  const Encoder& encoder() const noexcept { return encoder_; }
  std::size_t rows() const noexcept { return codes_.size() / encoder_.stride(); }
  std::size_t bytes() const noexcept { return codes_.bytes_owned() + encoder_.bytes(); }

  Scorer from_query(const float* point, ScorerScratch& scratch) const {
    return encoder_.from_query(point, codes_.data(), scratch);
  }
  Scorer from_row(Row row, ScorerScratch& scratch) const { return encoder_.from_row(row, codes_.data(), scratch); }

  /// The codes of rows of `space`, dense.
  Array<std::byte> encode(const MetricSpace& space, unsigned threads) const;
  /// Room behind the codes there are for those of `space`'s rows, prepared while others read.
  Extension<std::byte> grow(const MetricSpace& space, unsigned threads);
  void overwrite(Row row, const std::byte* code) noexcept;
  void truncate(std::size_t rows) noexcept { codes_.resize_for_overwrite(rows * encoder_.stride()); }
  /// The given rows only, in that order.
  QuantizedRows picked(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree.
  static QuantizedRows load(const FileReader& file, std::size_t rows);

 private:
  explicit QuantizedRows(Encoder encoder) : encoder_(std::move(encoder)) {}

  Encoder encoder_;
  Array<std::byte> codes_;
};

}  // namespace lookalike
