// The rows that a search may return: one bit per row.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/types.hpp"

namespace lookalike {

class RowFilter {
 public:
  explicit RowFilter(std::size_t rows, bool admitted = false)
      : rows_(rows), words_((rows + 63) / 64, admitted ? ~std::uint64_t{0} : 0) {
    if (admitted && rows % 64) words_.back() >>= 64 - rows % 64;
  }

  /// One byte per row; a row is admitted if its byte is not 0.
  static RowFilter from_mask(std::span<const std::uint8_t> mask) {
    RowFilter filter(mask.size());
    std::size_t row = 0;
    for (; row + 8 <= mask.size(); row += 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, mask.data() + row, sizeof bytes);
      bytes |= bytes >> 4;
      bytes |= bytes >> 2;
      bytes = (bytes | bytes >> 1) & 0x0101010101010101u;  // each byte: 1 if it was not 0, else 0
      filter.words_[row / 64] |= (bytes * 0x0102040810204080u >> 56) << (row % 64);
    }
    for (; row < mask.size(); ++row)
      if (mask[row]) filter.set(static_cast<Row>(row));
    return filter;
  }

  std::size_t rows() const noexcept { return rows_; }
  bool test(Row row) const noexcept { return words_[row / 64] >> (row % 64) & 1; }
  void set(Row row) noexcept { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void reset(Row row) noexcept { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  void resize(std::size_t rows, bool admitted) {
    const std::size_t before = rows_;
    words_.resize((rows + 63) / 64, 0);
    rows_ = rows;
    if (rows < before && rows % 64) words_.back() &= ~std::uint64_t{0} >> (64 - rows % 64);
    for (std::size_t row = before; row < rows; ++row)
      admitted ? set(static_cast<Row>(row)) : reset(static_cast<Row>(row));
  }
  /// Keeps the rows that `other` admits too. Both filters have the same number of rows.
  void intersect(const RowFilter& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  std::size_t count() const noexcept {
    std::size_t total = 0;
    for (const std::uint64_t word : words_) total += static_cast<std::size_t>(std::popcount(word));
    return total;
  }
  std::span<const std::uint64_t> words() const noexcept { return words_; }

 private:
  std::size_t rows_;
  std::vector<std::uint64_t> words_;
};

}  // namespace lookalike
