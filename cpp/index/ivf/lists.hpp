// The inverted lists of an IVF index, beside the rows they stand for.
//
// A row stands in the list of the centroid nearest it, as its number and as a code of what is left when that centroid
// is subtracted [Jegou et al. 2011, section 4]. Lists never change: a change makes new ones and puts them in place.
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

/// Rows that are encoded in one go.
inline constexpr std::size_t encoded_together = 256;

struct InvertedList {
  Array<Row> rows;          // ascending
  Array<std::byte> blocks;  // their codes; none where the kept vectors are scanned

  std::size_t size() const noexcept { return rows.size(); }
  std::size_t bytes() const noexcept { return rows.bytes_owned() + blocks.bytes_owned(); }
};

/// What was learned from rows, and rarely changes.
struct IvfQuantizer {
  Encoder encoder;  // of what is left of points
  BlockForm form;
  Centroids centroids;
  bool scans_codes;  // else the kept vectors
};

/// A plain value under the index's locks.
struct IvfLists {
  /// What takes the place of some lists.
  struct Changes {
    std::vector<std::pair<std::size_t, InvertedList>> lists;
    std::optional<Centroids> centroids;  // where there are to be more lists
  };

  std::optional<IvfQuantizer> quantizer;  // none while there are too few rows
  std::vector<InvertedList> lists;
  float length = 0;              // of lifted vectors, for Metric::ip
  std::size_t listed = 0;        // rows that were given a list: those before this one
  std::size_t trained_over = 0;  // rows the quantizer was learned from
  std::size_t listed_since = 0;  // rows that came into lists after that

  bool is_empty() const noexcept { return !quantizer; }
  std::size_t bytes() const noexcept;
  /// The rows, for queries.
  MetricSpace space(const Rows& rows) const noexcept {
    return {rows.store().view(), rows.metric(), rows.inverse_norms(), length, true};
  }

  /// The list each row belongs to.
  std::vector<std::uint32_t> nearest_lists(const MetricSpace& space, std::span<const Row> rows, unsigned threads) const;
  /// The codes of a few rows that belong to the lists `labels` has for them, affected `centroids`: Encoder::stride()
  /// bytes each.
  void encode(const Centroids& centroids, const MetricSpace& space, std::span<const Row> rows,
              std::span<const std::uint32_t> labels, std::byte* codes) const;
  /// The lists that change when each row is put into the list `labels` has for it; rows stand in none once `before` has
  /// been applied, and the result takes its place.
  Changes with(const MetricSpace& space, std::span<const Row> rows, std::span<const std::uint32_t> labels,
               unsigned threads, Changes before = {}) const;
  /// The lists that change when the rows for which `is_gone` are taken out.
  Changes without(function_ref<bool(Row)> is_gone) const;
  /// May throw std::bad_alloc where there are to be more lists, and changes nothing then.
  void apply(Changes& changes);
  /// The given rows only, in that order.
  IvfLists picked(std::span<const Row> rows) const;

  std::vector<std::uint32_t> sizes() const;
  /// `sizes` are those of the lists, borrowed like everything else.
  void save(FileWriter& file, std::span<const std::uint32_t> sizes) const;
  /// Throws CorruptFile unless every row there is stands in one list at most.
  void require_rows() const;
  /// Throws CorruptFile where sizes do not agree, or `require_rows` does; deferred rows are not looked at.
  static IvfLists load(const FileReader& file, const Rows& rows);

 private:
  void sort(InvertedList& list) const;
  /// Some of a list's rows, in that order.
  InvertedList in_order(const InvertedList& list, std::span<const std::size_t> order,
                        function_ref<Row(Row)> renamed) const;
};

}  // namespace lookalike
