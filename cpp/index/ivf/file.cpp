#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/errors.hpp"
#include "index/ivf/ivf.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {

std::vector<std::uint32_t> IvfLists::sizes() const {
  std::vector<std::uint32_t> sizes;
  for (const InvertedList& list : lists) sizes.push_back(static_cast<std::uint32_t>(list.size()));
  return sizes;
}

void IvfLists::save(FileWriter& file, std::span<const std::uint32_t> sizes) const {
  file.value<float>("lifted_length", augmented_norm);
  file.value<std::uint64_t>("listed", listed_rows);
  file.value<std::uint64_t>("trained_over", trained_rows);
  file.value<std::uint64_t>("listed_since", listed_since_training);
  file.value<std::uint8_t>("has_lists", quantizer.has_value());
  if (!quantizer) return;
  file.value<std::uint8_t>("scans_codes", quantizer->scans_codes);
  quantizer->encoder.save(file);
  file.array<float>("centroids", quantizer->centroids.positions());
  file.array<float>("centroids_middle", quantizer->centroids.origin());
  if (quantizer->centroids.frame() == Frame::per_list) file.value<std::uint8_t>("lists_have_own_frames", 1);
  file.array<std::uint32_t>("list_sizes", sizes);
  std::vector<std::span<const Row>> rows;
  std::vector<std::span<const std::byte>> blocks;
  for (const InvertedList& list : lists) {
    rows.push_back(list.rows.span());
    blocks.push_back(list.blocks.span());
  }
  file.pieces<Row>("list_rows", rows);
  file.pieces<std::byte>("list_codes", blocks);
}

IvfLists IvfLists::load(const FileReader& file, const Rows& rows) {
  IvfLists loaded;
  loaded.augmented_norm = file.value<float>("lifted_length");
  loaded.listed_rows = file.value<std::uint64_t>("listed");
  loaded.trained_rows = file.value<std::uint64_t>("trained_over");
  loaded.listed_since_training = file.value<std::uint64_t>("listed_since");
  const std::size_t dropped = rows.store().dropped_rows();
  if (loaded.listed_rows > rows.count() || loaded.listed_rows < dropped || !(loaded.augmented_norm >= 0)) {
    throw CorruptFile("sections 'listed' and 'lifted_length' do not agree with the rows");
  }
  if (file.value<std::uint8_t>("has_lists") == 0) {
    if (loaded.listed_rows > 0) throw CorruptFile("rows are listed, but there are no lists");
    return loaded;
  }
  Encoder encoder = Encoder::load(file);
  const Array<float> centroids = file.array<float>("centroids");
  const Array<float> origin = file.array<float>("centroids_middle");
  const Array<std::uint32_t> sizes = file.array<std::uint32_t>("list_sizes");
  const bool scans_codes = file.value<std::uint8_t>("scans_codes") != 0;
  if (!scans_codes && dropped > 0) throw CorruptFile("the file holds neither vectors nor codes");
  if (encoder.dim() != loaded.space(rows).point_dim() || sizes.empty() ||
      centroids.size() != sizes.size() * encoder.dim() || origin.size() != encoder.dim()) {
    throw CorruptFile("section 'centroids' does not agree with the vectors and the lists");
  }
  const BlockLayout layout(encoder);
  constexpr std::string_view own_frames = "lists_have_own_frames";
  const bool has_own_frames = file.contains(own_frames) && file.value<std::uint8_t>(own_frames) != 0;
  Centroids centroid_table({centroids.begin(), centroids.end()}, encoder,
                           has_own_frames ? Frame::per_list : Frame::shared, {origin.begin(), origin.end()});
  loaded.quantizer = IvfQuantizer{std::move(encoder), layout, std::move(centroid_table), scans_codes};

  const Array<Row> list_rows = file.array<Row>("list_rows");
  const Array<std::byte> blocks = file.array<std::byte>("list_codes");
  std::size_t first_row = 0, first_byte = 0;
  for (const std::uint32_t size : sizes) {
    const std::size_t bytes = scans_codes ? layout.bytes(size) : 0;
    if (size > list_rows.size() - first_row || bytes > blocks.size() - first_byte) {
      throw CorruptFile("section 'list_sizes' does not agree with the lists");
    }
    loaded.lists.push_back({list_rows.part(first_row, size), blocks.part(first_byte, bytes)});
    first_row += size;
    first_byte += bytes;
  }
  if (first_row != list_rows.size() || first_byte != blocks.size()) {
    throw CorruptFile("section 'list_sizes' does not agree with the lists");
  }
  if (!file.is_deferred("list_rows")) loaded.require_rows();
  return loaded;
}

void IvfLists::require_rows() const {
  RowFilter seen(listed_rows);
  for (const InvertedList& list : lists) {
    for (const Row row : list.rows) {
      if (row >= listed_rows || seen.test(row))
        throw CorruptFile("section 'list_rows' names a row twice or one that does not exist");
      seen.set(row);
    }
  }
}

bool Ivf::defers_section(std::string_view section) {
  constexpr std::string_view needed[] = {"vectors", "inverse_norms", "ids", "list_rows", "list_codes"};
  return std::find(std::begin(needed), std::end(needed), section) != std::end(needed);
}

void Ivf::verify() const {
  const Records::WriterLock rows = records_.freeze();
  require_verified();
}

void Ivf::require_verified() const {
  if (!unverified_) return;
  unverified_->verify([] { poll_interrupt(); });
  records_.read()->ids().require_next();
  lists_.require_rows();
  unverified_.reset();
}

void Ivf::save(function_ref<void(const FileWriter&)> write) const {
  const Records::WriterLock rows = records_.freeze();
  require_verified();
  FileWriter file(kind);
  rows->save(file);
  file.value<std::uint64_t>("nlist", settings_.nlist);
  settings_.save(file);
  file.value<std::uint64_t>("seed", settings_.seed);
  tuning_.save(file, "nprobe");
  file.value<std::uint8_t>("has_extremes", has_extremes_);
  const std::vector<std::uint32_t> sizes = lists_.sizes();
  lists_.save(file, sizes);
  write(file);
}

std::unique_ptr<Ivf> Ivf::load(const FileReader& file) {
  IvfSettings settings{CodeSettings::load(file)};
  settings.nlist = file.value<std::uint64_t>("nlist");
  settings.seed = file.value<std::uint64_t>("seed");
  Rows rows = Rows::load(file);
  std::unique_ptr<Ivf> index;
  try {
    if (settings.storage(rows.metric()) != rows.storage())
      throw InvalidArgument("the vectors are stored otherwise than the settings say");
    Ivf(0, rows.metric(), settings);  // throws if the settings are invalid
    IvfLists lists = IvfLists::load(file, rows);
    index.reset(new Ivf(std::move(rows), std::move(lists), settings));
  } catch (const InvalidArgument& error) {
    throw CorruptFile(std::string("the index's settings do not go together: ") + error.what());
  }
  index->has_extremes_ = file.value<std::uint8_t>("has_extremes") != 0;
  index->tuning_ = Tuning::load(file, "nprobe");
  if (file.mapping()) {
    index->file_ = file.mapping();
    index->unverified_ = file;
    file.mapping()->advise(MappedFile::Access::random);
    file.mapping()->drop_pages();
  }
  return index;
}

}  // namespace lookalike
