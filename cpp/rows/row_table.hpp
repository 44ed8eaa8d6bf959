// A hash table of rows. It stores no keys: a callback decides whether a row has the wanted key.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/array.hpp"
#include "base/types.hpp"

namespace lookalike {

/// Open addressing with linear probing, at most half full, eight bytes per slot.
class RowTable {
 public:
  /// Makes room for `rows` rows in total, including those already inserted. If it throws std::bad_alloc, nothing has
  /// changed.
  void reserve(std::size_t rows) {
    const std::size_t needed = std::bit_ceil(2 * (rows + erased_) + 2);
    if (needed <= slots_.size()) return;
    Array<Slot> fresh;
    fresh.resize(std::bit_ceil(2 * rows + 2), Slot{0, no_row});
    for (const Slot slot : slots_) {
      if (slot.row < erased) place(fresh, slot);
    }
    slots_.swap(fresh);
    erased_ = 0;
  }

  /// Precondition: `reserve` made room for the row, and its key is not in the table.
  void insert(std::uint64_t hash, Row row) noexcept { place(slots_, {fold(hash), row}); }

  /// The row with this hash for which matches(row) is true, or no_row.
  template <class Matches>
  Row find(std::uint64_t hash, Matches&& matches) const noexcept {
    const std::size_t at = locate(fold(hash), matches);
    return at == slots_.size() ? no_row : slots_[at].row;
  }

  void erase(std::uint64_t hash, Row row) noexcept {
    const std::size_t at = locate(fold(hash), [row](Row other) { return other == row; });
    if (at == slots_.size()) return;
    slots_.mutable_data()[at].row = erased;
    ++erased_;
  }

 private:
  struct Slot {
    std::uint32_t hash;
    Row row;
  };
  static constexpr Row erased = no_row - 1;

  static std::uint32_t fold(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash ^ hash >> 32); }

  static void place(Array<Slot>& slots, Slot slot) noexcept {
    Slot* table = slots.mutable_data();
    const std::size_t mask = slots.size() - 1;
    std::size_t at = slot.hash & mask;
    while (table[at].row != no_row) at = (at + 1) & mask;
    table[at] = slot;
  }

  template <class Matches>
  std::size_t locate(std::uint32_t hash, Matches&& matches) const noexcept {
    if (slots_.empty()) return 0;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].row != no_row; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && slots_[at].row != erased && matches(slots_[at].row)) return at;
    }
    return slots_.size();
  }

  Array<Slot> slots_;
  std::size_t erased_ = 0;
};

}  // namespace lookalike
