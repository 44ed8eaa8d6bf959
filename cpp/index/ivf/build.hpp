// Out-of-core build: writes an IVF index larger than memory to a file.
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

/// Writes the same file, byte for byte, as adding all vectors to an Ivf at once and saving it. Only if the training
/// sample does not fit in memory, it is made smaller and the file differs. Not thread-safe.
class IvfBuild {
 public:
  static constexpr std::size_t min_memory = std::size_t{32} << 20;
  using Progress = function_ref<void(std::size_t rows)>;

  /// Writes to `path`, with scratch files in the same folder, and uses about `memory` bytes. Throws InvalidArgument if
  /// `memory` is less than min_memory or the settings contradict each other, and IoError if the path cannot be written.
  IvfBuild(std::filesystem::path path, Metric metric, const IvfSettings& settings, std::size_t memory);

  /// Throws InvalidArgument if so many vectors need more memory.
  void require_memory(std::size_t rows, std::size_t dim) const;
  /// Throws like Ivf::add and require_memory, and IoError. After an exception the build cannot be finished.
  void append(const VectorsView& vectors, unsigned threads);
  std::size_t count() const noexcept { return buffer_.count(); }
  Metric metric() const noexcept { return metric_; }

  /// Writes the file and calls `progress` with the number of encoded rows. Throws InvalidArgument if there are no rows
  /// or the ids are invalid, IoError, Interrupted, and what `progress` throws; then the file is unchanged. Call nothing
  /// afterwards.
  void finish(const std::optional<IdsView>& ids, unsigned threads, Progress progress);

 private:
  /// The extra coordinate of every row for the MIPS-to-L2 augmentation.
  Array<float> compute_augmentations(const MetricSpace& space, unsigned threads);
  IvfLists build_lists(const Rows& rows, unsigned threads, Progress progress);
  /// The codes of all rows, in row order.
  Array<std::byte> encode_rows(const IvfLists& lists, const MetricSpace& space, std::span<const Row> rows,
                               std::span<const std::uint32_t> labels, unsigned threads, Progress progress);
  /// Where each list begins in the concatenation of all lists, followed by the end of the last one.
  struct ListOffsets {
    std::vector<std::size_t> rows, bytes;
    /// Size in bytes of lists `first` to `last` (exclusive).
    std::size_t size(std::size_t first, std::size_t last) const noexcept {
      return (rows[last] - rows[first]) * sizeof(Row) + bytes[last] - bytes[first];
    }
  };
  static ListOffsets offsets_of(const IvfLists& lists, std::span<const std::uint32_t> labels);
  /// Fills the lists with rows and codes, as many lists at a time as fit in memory.
  void fill_lists(IvfLists& lists, std::span<const std::uint32_t> labels, const Array<std::byte>& codes);
  /// The rows and blocks of lists `first` to `last` (exclusive), concatenated.
  std::pair<std::vector<Row>, std::vector<std::byte>> fill_range(const IvfLists& lists, const ListOffsets& offsets,
                                                                 std::size_t first, std::size_t last,
                                                                 std::span<const std::uint32_t> labels,
                                                                 const Array<std::byte>& codes) const;

  const std::filesystem::path path_;
  const IvfSettings settings_;
  const Metric metric_;
  const std::size_t memory_;
  ScratchMaps maps_;
  RowBuffer buffer_;
};

}  // namespace lookalike
