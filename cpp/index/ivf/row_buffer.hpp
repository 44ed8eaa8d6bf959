// An out-of-core row buffer: collects added rows in scratch files until an index is built from them.
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

/// Stores rows exactly as one addition of all vectors to an index would. If new vectors do not fit the element of the
/// stored rows, these are rewritten in another element. Not thread-safe.
class RowBuffer {
 public:
  /// Creates its files in the folder of the file `sibling` and uses about `memory` bytes. Borrows `maps`.
  RowBuffer(std::filesystem::path sibling, Metric metric, Storage storage, std::size_t memory, ScratchMaps& maps);

  /// Throws like Ivf::add, and IoError. After an exception only append may be called.
  void append(const VectorsView& vectors, unsigned threads);
  std::size_t count() const noexcept { return count_; }
  /// For Metric::ip: an upper bound on the norms of all rows.
  double largest_norm() const noexcept { return largest_norm_; }
  /// See lookalike::is_measurable and norm_range_of.
  bool is_measurable() const noexcept { return is_measurable_; }
  NormRange norm_range() const noexcept { return norm_range_; }

  /// Maps all rows, of which there must be at least one. Their ids are `ids`, or the row numbers if none are given.
  /// Throws InvalidArgument if the ids are invalid or their number differs from that of rows.
  Rows rows(const std::optional<IdsView>& ids);

 private:
  /// The element that can store all rows so far and `vectors`.
  Element common_element(const VectorsView& vectors, unsigned threads);
  void rewrite(Element element, unsigned threads);
  IdMap id_map(const IdsView& ids) const;
  IdMap sequential_ids();

  const std::filesystem::path sibling_;
  const Metric metric_;
  const Storage storage_;
  const std::size_t memory_;
  ScratchMaps& maps_;
  std::size_t dim_ = 0, count_ = 0;
  Element element_ = Element::f32;        // of the stored rows
  std::optional<Element> input_element_;  // of all vectors as given; f32 if they differ
  bool fits_u8_ = true, fits_s8_ = true;
  bool is_measurable_ = true;
  NormRange norm_range_ = NormRange::zero;  // of all rows
  double largest_norm_ = 0;
  std::unique_ptr<ScratchFile> vectors_, norms_;
};

}  // namespace lookalike
