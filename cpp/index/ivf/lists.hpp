// The inverted lists of an IVF index.
//
// A row is in the list of its nearest centroid. A posting is the row number and a code of the residual, the row minus
// the centroid [Jegou et al. 2011, section 4]. Lists are immutable: a change builds new lists and swaps them in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/array.hpp"
#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "distance/metric_space.hpp"
#include "index/core/rows.hpp"
#include "lists/block_codes.hpp"
#include "lists/centroids.hpp"
#include "quant/encoder.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Rows that are encoded at a time.
inline constexpr std::size_t encoding_batch = 256;

struct InvertedList {
  Array<Row> rows;          // ascending
  Array<std::byte> blocks;  // their codes; empty if vectors are scanned

  std::size_t size() const noexcept { return rows.size(); }
  std::size_t bytes() const noexcept { return rows.bytes_owned() + blocks.bytes_owned(); }
};

/// The trained part: the coarse quantizer and the encoder of residuals.
struct IvfQuantizer {
  Encoder encoder;
  BlockLayout layout;
  Centroids centroids;
  bool scans_codes;  // false: searches scan the stored vectors
};

/// A value type without locks; the index guards it.
struct IvfLists {
  /// Replacements of some lists, by list number.
  struct Changes {
    std::vector<std::pair<std::size_t, InvertedList>> lists;
    std::optional<Centroids> centroids;  // set if the change appends lists
  };

  std::optional<IvfQuantizer> quantizer;  // empty while there are too few rows
  std::vector<InvertedList> lists;
  float augmented_norm = 0;               // Metric::ip: the norm of all rows after MIPS-to-L2 augmentation
  std::size_t listed_rows = 0;            // all rows with smaller numbers are in lists
  std::size_t trained_rows = 0;           // rows when the quantizer was trained
  std::size_t listed_since_training = 0;  // rows added to lists since then

  bool is_empty() const noexcept { return !quantizer; }
  std::size_t bytes() const noexcept;
  /// The metric space of queries and rows.
  MetricSpace space(const Rows& rows) const noexcept {
    return {rows.store().view(), rows.metric(), rows.inverse_norms(), augmented_norm, true};
  }

  /// The list of the nearest centroid of each row.
  std::vector<std::uint32_t> nearest_lists(const MetricSpace& space, std::span<const Row> rows, unsigned threads) const;
  /// Writes the codes of a few rows, Encoder::stride() bytes each. Row i belongs to list labels[i] of `centroids`.
  void encode(const Centroids& centroids, const MetricSpace& space, std::span<const Row> rows,
              std::span<const std::uint32_t> labels, std::byte* codes) const;
  /// The changes that add each row i to list labels[i]. They include `pending`, after which none of the rows is in a
  /// list.
  Changes changes_to_add(const MetricSpace& space, std::span<const Row> rows, std::span<const std::uint32_t> labels,
                         unsigned threads, Changes pending = {}) const;
  /// The changes that remove all rows for which `is_removed` is true.
  Changes changes_to_remove(function_ref<bool(Row)> is_removed) const;
  /// Swaps the changes in. May throw std::bad_alloc if lists are appended; then it has no effect.
  void apply(Changes& changes);
  /// Lists with the given rows only, renumbered in that order.
  IvfLists subset(std::span<const Row> rows) const;

  std::vector<std::uint32_t> sizes() const;
  /// `sizes`: the sizes of the lists. `file` borrows everything until it is written.
  void save(FileWriter& file, std::span<const std::uint32_t> sizes) const;
  /// Throws CorruptFile if a row is in several lists or does not exist.
  void require_rows() const;
  /// Throws CorruptFile. Does not call `require_rows` if the rows are mapped and deferred.
  static IvfLists load(const FileReader& file, const Rows& rows);

 private:
  void sort(InvertedList& list) const;
  /// The postings of `list` at positions `order`, in that order.
  InvertedList reordered(const InvertedList& list, std::span<const std::size_t> order,
                         function_ref<Row(Row)> renumbered) const;
};

}  // namespace lookalike
