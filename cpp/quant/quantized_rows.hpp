// The rows of an index as codes, with their encoder.
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
  /// Trains on at most `max_training_rows` rows of `space`, which are not bits, and encodes all rows. Without `width`,
  /// chooses a format by choose_codes; nullopt if no codes reach the minimal recall.
  static std::optional<QuantizedRows> train(const MetricSpace& space, std::optional<CodeWidth> width,
                                            std::uint64_t seed, unsigned threads);
  static constexpr std::size_t max_training_rows = 8192;

  const Encoder& encoder() const noexcept { return encoder_; }
  std::size_t rows() const noexcept { return codes_.size() / encoder_.stride(); }
  std::size_t bytes() const noexcept { return codes_.bytes_owned() + encoder_.bytes(); }

  Scorer query_scorer(const float* point, ScorerScratch& scratch) const {
    return encoder_.query_scorer(point, codes_.data(), scratch);
  }
  Scorer row_scorer(Row row, ScorerScratch& scratch) const { return encoder_.row_scorer(row, codes_.data(), scratch); }

  /// The codes of all rows of `space`, dense.
  Array<std::byte> encode(const MetricSpace& space, unsigned threads) const;
  /// Prepares to append the codes of `space`'s rows. Readers are not affected until the commit.
  Extension<std::byte> grow(const MetricSpace& space, unsigned threads);
  void overwrite(Row row, const std::byte* code) noexcept;
  void truncate(std::size_t rows) noexcept { codes_.resize_for_overwrite(rows * encoder_.stride()); }
  /// The codes of the given rows, in that order.
  QuantizedRows subset(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile if sizes do not agree.
  static QuantizedRows load(const FileReader& file, std::size_t rows);

 private:
  explicit QuantizedRows(Encoder encoder) : encoder_(std::move(encoder)) {}

  Encoder encoder_;
  Array<std::byte> codes_;
};

}  // namespace lookalike
