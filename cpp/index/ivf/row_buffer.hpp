// Rows that come piece by piece and are more than memory holds: they lie in files until an index is made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "distance/metric_space.hpp"
#include "index/core/rows.hpp"
#include "rows/id_map.hpp"
#include "rows/vector_store.hpp"
#include "storage/scratch_file.hpp"

namespace lookalike {

/// The rows are those that one addition of all the pieces would make, of the same element: where a piece does not fit
/// what was kept before, that is written anew. Used by one thread.
class RowBuffer {
 public:
  /// Keeps its files in the folder of the file `beside`, and holds about `room` bytes in memory; `maps`, which it
  /// borrows, maps them.
  RowBuffer(std::filesystem::path beside, Metric metric, Storage storage, std::size_t room, ScratchMaps& maps);

  /// Throws as an addition does, and IoError: then nothing may be called but this.
  void append(const VectorsView& vectors, unsigned threads);
  std::size_t count() const noexcept { return count_; }
  /// For Metric::ip at least the length of every row.
  double largest_norm() const noexcept { return largest_norm_; }
  /// Whether floats can measure them, see `is_measurable`; and what they tell of squares.
  bool is_measurable() const noexcept { return is_measurable_; }
  Squares squares() const noexcept { return squares_; }

  /// All rows, of which there are some, mapped, under `ids` or, where none are given, their numbers. Throws
  /// InvalidArgument where there are not as many ids, or they are none.
  Rows rows(const std::optional<IdsView>& ids);

 private:
  /// In what all the pieces so far and `vectors` are to be kept.
  Element element_with(const VectorsView& vectors, unsigned threads);
  void rewrite(Element element, unsigned threads);
  IdMap named(const IdsView& ids) const;
  IdMap numbered();

  const std::filesystem::path beside_;
  const Metric metric_;
  const Storage storage_;
  const std::size_t room_;
  ScratchMaps& maps_;
  std::size_t dim_ = 0, count_ = 0;
  Element element_ = Element::f32;  // what rows are kept as
  std::optional<Element> came_as_;  // what all pieces are; f32 where they are not alike
  bool fits_u8_ = true, fits_s8_ = true;
  bool is_measurable_ = true;
  Squares squares_ = Squares::zero;  // of all rows
  double largest_norm_ = 0;
  std::unique_ptr<ScratchFile> vectors_, norms_;
};

}  // namespace lookalike
