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

// Of the memory: what passes through it, the points that lists are learned from, and lists being filled.
constexpr std::size_t passing_share = 16, sampled_share = 8, projected_share = 16, filled_share = 4, promised_share = 2;
constexpr std::size_t row_share =
    24;  // bytes a row needs: its number, its label, copies of them, what its metric needs
constexpr std::size_t in_turn = 16384;  // rows between two reports

std::size_t checked(std::size_t memory) {
  if (memory >= IvfBuild::least_memory) return memory;
  throw InvalidArgument("memory is " + std::to_string(memory) + " bytes; it must be at least " +
                        std::to_string(IvfBuild::least_memory));
}

/// What cannot be written in the end is refused at once.
const std::filesystem::path& checked(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_other(path, ignored)) OutputFile{path};
  return path;
}

}  // namespace

IvfBuild::IvfBuild(std::filesystem::path path, Metric metric, const IvfSettings& settings, std::size_t memory)
    : path_(std::move(path)),
      settings_(Ivf(0, metric, settings).settings()),
      metric_(metric),
      memory_(checked(memory)),
      maps_(memory / passing_share),
      spool_(checked(path_), metric, settings.storage(metric), memory / passing_share, maps_) {}

void IvfBuild::require_memory(std::size_t rows, std::size_t dim) const {
  const std::size_t coordinates = metric_ == Metric::hamming ? 8 * dim : dim;
  const std::size_t points = 4 * std::min(rows, most_learned) + 4 * list_count(settings_, rows);
  const std::size_t needed = rows * row_share + points * coordinates * sizeof(float);
  if (needed <= memory_) return;
  throw InvalidArgument("memory is " + std::to_string(memory_) + " bytes, but " + std::to_string(rows) +
                        " vectors of dim " + std::to_string(dim) + " need at least " + std::to_string(needed));
}

void IvfBuild::append(const VectorsView& vectors, unsigned threads) {
  require_memory(count() + vectors.count, vectors.dim);
  spool_.append(vectors, threads);
}

Array<float> IvfBuild::augmentations(const MetricSpace& space, unsigned threads) {
  Array<float> augmentations;
  augmentations.resize_for_overwrite(space.rows.count);
  float* const out = augmentations.mutable_data();
  parallel_for(
      (augmentations.size() + encoded_together - 1) / encoded_together, threads, [&](std::size_t task, unsigned) {
        const std::size_t first = task * encoded_together,
                          last = std::min(augmentations.size(), first + encoded_together);
        for (std::size_t i = first; i < last; ++i)
          out[i] = augmentation_of(precise_square(space.rows.row(i), space.rows.element, space.rows.dim), space.length);
        maps_.has_read((last - first) * space.rows.stride);
      });
  return augmentations;
}

IvfLists IvfBuild::listed(const Rows& rows, unsigned threads, Progress progress) {
  MetricSpace space{rows.store().view(), metric_, rows.inverse_norms()};
  space.scratch = &maps_;
  Array<float> augmentations;
  if (metric_ == Metric::ip) {
    space.length = static_cast<float>(rows.largest_norm());
    space.is_augmented = true;
    augmentations = this->augmentations(space, threads);
    space.augmentations = augmentations.data();
  }
  LearningRoom room;
  room.sampled_floats = std::min(room.sampled_floats, memory_ / sampled_share / sizeof(float));
  room.projected_floats = std::min(room.projected_floats, memory_ / projected_share / sizeof(float));
  std::vector<Row> all(rows.count());
  std::iota(all.begin(), all.end(), Row{0});
  auto [lists, labels] = learn_lists(space, all, settings_, rows.store(), threads, room);
  lists.listed = rows.count();
  fill(lists, labels, encoded(lists, space, all, labels, threads, progress));
  return std::move(lists);
}

Array<std::byte> IvfBuild::encoded(const IvfLists& lists, const MetricSpace& space, std::span<const Row> rows,
                                   std::span<const std::uint32_t> labels, unsigned threads, Progress progress) {
  if (!lists.quantizer->scans_codes) return {};
  const std::size_t stride = lists.quantizer->encoder.stride();
  ScratchFile file(path_);
  std::vector<std::byte> codes;
  for (std::size_t first = 0; first < rows.size(); first += in_turn) {
    const std::size_t count = std::min(in_turn, rows.size() - first);
    codes.resize(count * stride);
    parallel_for((count + encoded_together - 1) / encoded_together, threads, [&](std::size_t task, unsigned) {
      const std::size_t begin = task * encoded_together, size = std::min(encoded_together, count - begin);
      lists.encode(lists.quantizer->centroids, space, rows.subspan(first + begin, size),
                   labels.subspan(first + begin, size), codes.data() + begin * stride);
    });
    file.append(codes);
    progress(first + count);
  }
  return maps_.array<std::byte>(file);
}

IvfBuild::Layout IvfBuild::layout_of(const IvfLists& lists, std::span<const std::uint32_t> labels) {
  const IvfQuantizer& quantizer = *lists.quantizer;
  const std::size_t count = lists.lists.size();
  std::vector<std::size_t> sizes(count);
  for (const std::uint32_t label : labels) ++sizes[label];
  Layout layout{std::vector<std::size_t>(count + 1), std::vector<std::size_t>(count + 1)};
  for (std::size_t l = 0; l < count; ++l) {
    layout.rows[l + 1] = layout.rows[l] + sizes[l];
    layout.bytes[l + 1] = layout.bytes[l] + (quantizer.scans_codes ? quantizer.form.bytes(sizes[l]) : 0);
  }
  return layout;
}

void IvfBuild::fill(IvfLists& lists, std::span<const std::uint32_t> labels, const Array<std::byte>& codes) {
  const Layout layout = layout_of(lists, labels);
  const std::size_t count = lists.lists.size();
  ScratchFile rows_file(path_), blocks_file(path_);
  for (std::size_t first = 0, last = 0; first < count; first = last) {
    for (++last; last < count && layout.size(first, last + 1) <= memory_ / filled_share;) ++last;
    const auto [rows, blocks] = filled(lists, layout, first, last, labels, codes);
    rows_file.append(std::as_bytes(std::span(rows)));
    blocks_file.append(blocks);
  }
  const Array<Row> rows = maps_.array<Row>(rows_file);
  const Array<std::byte> blocks = maps_.array<std::byte>(blocks_file);
  for (std::size_t l = 0; l < count; ++l) {
    lists.lists[l] = {rows.part(layout.rows[l], layout.rows[l + 1] - layout.rows[l]),
                      blocks.part(layout.bytes[l], layout.bytes[l + 1] - layout.bytes[l])};
  }
}

std::pair<std::vector<Row>, std::vector<std::byte>> IvfBuild::filled(const IvfLists& lists, const Layout& layout,
                                                                     std::size_t first, std::size_t last,
                                                                     std::span<const std::uint32_t> labels,
                                                                     const Array<std::byte>& codes) const {
  const IvfQuantizer& quantizer = *lists.quantizer;
  const std::size_t stride = quantizer.encoder.stride();
  std::vector<Row> rows(layout.rows[last] - layout.rows[first]);
  std::vector<std::byte> blocks(layout.bytes[last] - layout.bytes[first]);
  std::vector<std::size_t> sizes(last - first);  // so far
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i % in_turn == 0) {
      poll_interrupt();
      if (!codes.empty()) maps_.has_read(in_turn * stride);
    }
    const std::size_t list = labels[i];
    if (list < first || list >= last) continue;
    const std::size_t at = sizes[list - first]++;
    rows[layout.rows[list] - layout.rows[first] + at] = static_cast<Row>(i);
    if (codes.empty()) continue;
    quantizer.form.put(blocks.data() + layout.bytes[list] - layout.bytes[first], at, codes.data() + i * stride);
  }
  return {std::move(rows), std::move(blocks)};
}

void IvfBuild::finish(const std::optional<IdsView>& ids, unsigned threads, Progress progress) {
  if (count() == 0) throw InvalidArgument("vectors hold none; at least one is needed");
  Rows rows = spool_.rows(ids);
  IvfLists lists;
  const bool may_be_listed = spool_.is_measurable() && spool_.squares() != Squares::vanishing;
  if (may_be_listed && count() >= Ivf(0, metric_, settings_).fewest_listed()) lists = listed(rows, threads, progress);
  if (lists.is_empty() || !lists.quantizer->scans_codes) progress(count());
  if (!lists.is_empty()) rows.forget_vectors();
  Ivf index(std::move(rows), std::move(lists), settings_);
  index.has_extremes_ = !spool_.is_measurable();
  // Finding true neighbours reads all rows at once: of more than fit beside the rest, nothing is promised.
  {
    Records::Writing writing = index.records_.write();
    const VectorsView vectors = writing->store().view();
    if (vectors.stride * vectors.count <= memory_ / promised_share) index.keep_promise(writing, vectors.count, threads);
  }
  index.save([&](const FileWriter& file) {
    file.save(path_, [&](std::size_t bytes) {
      poll_interrupt();
      maps_.has_read(bytes);
    });
  });
}

}  // namespace lookalike
