#include "index/ivf/build.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "index/ivf/training.hpp"
#include "kernels/precise.hpp"
#include "runtime/interrupt.hpp"
#include "runtime/parallel.hpp"
#include "storage/output_file.hpp"

namespace lookalike {
namespace {

// Each buffer gets 1 / share of the memory.
constexpr std::size_t buffer_share = 16, sample_share = 8, projection_share = 16, fill_share = 4, promise_share = 2;
constexpr std::size_t bytes_per_row = 24;       // row number, label, copies of both, norm
constexpr std::size_t rows_per_report = 16384;  // between two calls of `progress`

std::size_t require_valid(std::size_t memory) {
  if (memory >= IvfBuild::min_memory) return memory;
  throw InvalidArgument("memory is " + std::to_string(memory) + " bytes; it must be at least " +
                        std::to_string(IvfBuild::min_memory));
}

/// Throws early if the file cannot be written.
const std::filesystem::path& require_valid(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_other(path, ignored)) OutputFile{path};
  return path;
}

}  // namespace

IvfBuild::IvfBuild(std::filesystem::path path, Metric metric, const IvfSettings& settings, std::size_t memory)
    : path_(std::move(path)),
      settings_(Ivf(0, metric, settings).settings()),
      metric_(metric),
      memory_(require_valid(memory)),
      maps_(memory / buffer_share),
      buffer_(require_valid(path_), metric, settings.storage(metric), memory / buffer_share, maps_) {}

void IvfBuild::require_memory(std::size_t rows, std::size_t dim) const {
  const std::size_t coordinates = metric_ == Metric::hamming ? 8 * dim : dim;
  const std::size_t points = 4 * std::min(rows, max_training_rows) + 4 * list_count(settings_, rows);
  const std::size_t needed = rows * bytes_per_row + points * coordinates * sizeof(float);
  if (needed <= memory_) return;
  throw InvalidArgument("memory is " + std::to_string(memory_) + " bytes, but " + std::to_string(rows) +
                        " vectors of dim " + std::to_string(dim) + " need at least " + std::to_string(needed));
}

void IvfBuild::append(const VectorsView& vectors, unsigned threads) {
  require_memory(count() + vectors.count, vectors.dim);
  buffer_.append(vectors, threads);
}

Array<float> IvfBuild::compute_augmentations(const MetricSpace& space, unsigned threads) {
  Array<float> augmentations;
  augmentations.resize_for_overwrite(space.rows.count);
  float* const out = augmentations.mutable_data();
  parallel_for((augmentations.size() + encoding_batch - 1) / encoding_batch, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * encoding_batch, last = std::min(augmentations.size(), first + encoding_batch);
    for (std::size_t i = first; i < last; ++i)
      out[i] = augmentation_of(precise_squared_norm(space.rows.row(i), space.rows.element, space.rows.dim),
                               space.augmented_norm);
    maps_.count_read((last - first) * space.rows.stride);
  });
  return augmentations;
}

IvfLists IvfBuild::build_lists(const Rows& rows, unsigned threads, Progress progress) {
  MetricSpace space{rows.store().view(), metric_, rows.inverse_norms()};
  space.scratch = &maps_;
  Array<float> augmentations;
  if (metric_ == Metric::ip) {
    space.augmented_norm = static_cast<float>(rows.largest_norm());
    space.is_augmented = true;
    augmentations = compute_augmentations(space, threads);
    space.augmentations = augmentations.data();
  }
  TrainingMemory memory;
  memory.sampled_floats = std::min(memory.sampled_floats, memory_ / sample_share / sizeof(float));
  memory.projected_floats = std::min(memory.projected_floats, memory_ / projection_share / sizeof(float));
  std::vector<Row> all(rows.count());
  std::iota(all.begin(), all.end(), Row{0});
  auto [lists, labels] = train_lists(space, all, settings_, rows.store(), threads, memory);
  lists.listed_rows = rows.count();
  fill_lists(lists, labels, encode_rows(lists, space, all, labels, threads, progress));
  return std::move(lists);
}

Array<std::byte> IvfBuild::encode_rows(const IvfLists& lists, const MetricSpace& space, std::span<const Row> rows,
                                       std::span<const std::uint32_t> labels, unsigned threads, Progress progress) {
  if (!lists.quantizer->scans_codes) return {};
  const std::size_t stride = lists.quantizer->encoder.stride();
  ScratchFile file(path_);
  std::vector<std::byte> codes;
  for (std::size_t first = 0; first < rows.size(); first += rows_per_report) {
    const std::size_t count = std::min(rows_per_report, rows.size() - first);
    codes.resize(count * stride);
    parallel_for((count + encoding_batch - 1) / encoding_batch, threads, [&](std::size_t task, unsigned) {
      const std::size_t begin = task * encoding_batch, size = std::min(encoding_batch, count - begin);
      lists.encode(lists.quantizer->centroids, space, rows.subspan(first + begin, size),
                   labels.subspan(first + begin, size), codes.data() + begin * stride);
    });
    file.append(codes);
    progress(first + count);
  }
  return maps_.array<std::byte>(file);
}

IvfBuild::ListOffsets IvfBuild::offsets_of(const IvfLists& lists, std::span<const std::uint32_t> labels) {
  const IvfQuantizer& quantizer = *lists.quantizer;
  const std::size_t count = lists.lists.size();
  std::vector<std::size_t> sizes(count);
  for (const std::uint32_t label : labels) ++sizes[label];
  ListOffsets offsets{std::vector<std::size_t>(count + 1), std::vector<std::size_t>(count + 1)};
  for (std::size_t l = 0; l < count; ++l) {
    offsets.rows[l + 1] = offsets.rows[l] + sizes[l];
    offsets.bytes[l + 1] = offsets.bytes[l] + (quantizer.scans_codes ? quantizer.layout.bytes(sizes[l]) : 0);
  }
  return offsets;
}

void IvfBuild::fill_lists(IvfLists& lists, std::span<const std::uint32_t> labels, const Array<std::byte>& codes) {
  const ListOffsets offsets = offsets_of(lists, labels);
  const std::size_t count = lists.lists.size();
  ScratchFile rows_file(path_), blocks_file(path_);
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    for (++last; last < count && offsets.size(first, last + 1) <= memory_ / fill_share;) ++last;
    const auto [rows, blocks] = fill_range(lists, offsets, first, last, labels, codes);
    rows_file.append(std::as_bytes(std::span(rows)));
    blocks_file.append(blocks);
  }
  const Array<Row> rows = maps_.array<Row>(rows_file);
  const Array<std::byte> blocks = maps_.array<std::byte>(blocks_file);
  for (std::size_t l = 0; l < count; ++l) {
    lists.lists[l] = {rows.part(offsets.rows[l], offsets.rows[l + 1] - offsets.rows[l]),
                      blocks.part(offsets.bytes[l], offsets.bytes[l + 1] - offsets.bytes[l])};
  }
}

std::pair<std::vector<Row>, std::vector<std::byte>> IvfBuild::fill_range(const IvfLists& lists,
                                                                         const ListOffsets& offsets, std::size_t first,
                                                                         std::size_t last,
                                                                         std::span<const std::uint32_t> labels,
                                                                         const Array<std::byte>& codes) const {
  const IvfQuantizer& quantizer = *lists.quantizer;
  const std::size_t stride = quantizer.encoder.stride();
  std::vector<Row> rows(offsets.rows[last] - offsets.rows[first]);
  std::vector<std::byte> blocks(offsets.bytes[last] - offsets.bytes[first]);
  std::vector<std::size_t> sizes(last - first);  // rows added so far
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i % rows_per_report == 0) {
      poll_interrupt();
      if (!codes.empty()) maps_.count_read(rows_per_report * stride);
    }
    const std::size_t list = labels[i];
    if (list < first || list >= last) continue;
    const std::size_t position = sizes[list - first]++;
    rows[offsets.rows[list] - offsets.rows[first] + position] = static_cast<Row>(i);
    if (codes.empty()) continue;
    quantizer.layout.pack(blocks.data() + offsets.bytes[list] - offsets.bytes[first], position,
                          codes.data() + i * stride);
  }
  return {std::move(rows), std::move(blocks)};
}

void IvfBuild::finish(const std::optional<IdsView>& ids, unsigned threads, Progress progress) {
  if (count() == 0) throw InvalidArgument("vectors hold none; at least one is needed");
  Rows rows = buffer_.rows(ids);
  IvfLists lists;
  const bool can_be_listed = buffer_.is_measurable() && buffer_.norm_range() != NormRange::underflowing;
  if (can_be_listed && count() >= Ivf(0, metric_, settings_).min_rows_to_list())
    lists = build_lists(rows, threads, progress);
  if (lists.is_empty() || !lists.quantizer->scans_codes) progress(count());
  if (!lists.is_empty()) rows.drop_vectors();
  Ivf index(std::move(rows), std::move(lists), settings_);
  index.has_extremes_ = !buffer_.is_measurable();
  // Computing the ground truth of the promise needs all vectors in memory. Skip it if they do not fit.
  {
    Records::Writer writer = index.records_.write();
    const VectorsView vectors = writer->store().view();
    if (vectors.stride * vectors.count <= memory_ / promise_share) index.keep_promise(writer, vectors.count, threads);
  }
  index.save([&](const FileWriter& file) {
    file.save(path_, [&](std::size_t bytes) {
      poll_interrupt();
      maps_.count_read(bytes);
    });
  });
}

}  // namespace lookalike
