// Building an IVF index that is larger than memory, as a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/array.hpp"
#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "index/ivf/ivf.hpp"
#include "index/ivf/row_buffer.hpp"
#include "storage/scratch_file.hpp"

namespace lookalike {

/// Makes the file that adding all vectors at once and saving would make, byte by byte, where the sample that lists are
/// learned from fits in memory; where it does not, the sample is smaller. Used by one thread.
class IvfBuild {
 public:
  static constexpr std::size_t least_memory = std::size_t{32} << 20;
  using Progress = function_ref<void(std::size_t rows)>;

  /// The file will be `path`; scratch space is taken in the same folder. Holds about `memory` bytes at a time. Throws
  /// InvalidArgument where that is less than least_memory or settings do not go together, and IoError where the path
  /// cannot be written.
  IvfBuild(std::filesystem::path path, Metric metric, const IvfSettings& settings, std::size_t memory);

  /// Throws InvalidArgument where memory is too little for so many vectors.
  void require_memory(std::size_t rows, std::size_t dim) const;
  /// Throws as an addition does, as require_memory does, and IoError: then there can be no file.
  void append(const VectorsView& vectors, unsigned threads);
  std::size_t count() const noexcept { return spool_.count(); }
  Metric metric() const noexcept { return metric_; }

  /// Writes the file, and tells `progress` how many rows are done. Throws InvalidArgument where there are no rows or
  /// the ids are none, IoError, Interrupted and whatever `progress` does: the file is then as it was. Nothing may be
  /// called afterwards.
  void finish(const std::optional<IdsView>& ids, unsigned threads, Progress progress);

 private:
  /// The extra coordinate of every row.
  Array<float> augmentations(const MetricSpace& space, unsigned threads);
  IvfLists listed(const Rows& rows, unsigned threads, Progress progress);
  /// Codes of all rows, in their order.
  Array<std::byte> encoded(const IvfLists& lists, const MetricSpace& space, std::span<const Row> rows,
                           std::span<const std::uint32_t> labels, unsigned threads, Progress progress);
  /// Where lists begin when they lie one behind the other, and where the last one ends.
  struct Layout {
    std::vector<std::size_t> rows, bytes;
    /// Bytes of lists `first` to `last`.
    std::size_t size(std::size_t first, std::size_t last) const noexcept {
      return (rows[last] - rows[first]) * sizeof(Row) + bytes[last] - bytes[first];
    }
  };
  static Layout layout_of(const IvfLists& lists, std::span<const std::uint32_t> labels);
  /// Puts rows, and their codes where there are some, into the lists that `labels` has for them: as many lists at a
  /// time as there is room for.
  void fill(IvfLists& lists, std::span<const std::uint32_t> labels, const Array<std::byte>& codes);
  /// What lists `first` to `last` hold.
  std::pair<std::vector<Row>, std::vector<std::byte>> filled(const IvfLists& lists, const Layout& layout,
                                                             std::size_t first, std::size_t last,
                                                             std::span<const std::uint32_t> labels,
                                                             const Array<std::byte>& codes) const;

  const std::filesystem::path path_;
  const IvfSettings settings_;
  const Metric metric_;
  const std::size_t memory_;
  ScratchMaps maps_;
  RowBuffer spool_;
};

}  // namespace lookalike
