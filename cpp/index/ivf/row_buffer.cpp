#include "index/ivf/row_buffer.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "distance/metric_space.hpp"
#include "exact/exact_search.hpp"
#include "rows/values.hpp"

namespace lookalike {
namespace {

/// Calls body(chunk) for consecutive chunks that take about `bytes` bytes when stored as `element`.
template <class Body>
void for_each_chunk(const VectorsView& vectors, Element element, std::size_t bytes, Body&& body) {
  const std::size_t step = std::max<std::size_t>(1, bytes / row_bytes(element, vectors.dim));
  for (std::size_t first = 0; first < vectors.count; first += step)
    body(vectors.slice(first, std::min(step, vectors.count - first)));
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

RowBuffer::RowBuffer(std::filesystem::path sibling, Metric metric, Storage storage, std::size_t memory,
                     ScratchMaps& maps)
    : sibling_(std::move(sibling)),
      metric_(metric),
      storage_(storage),
      memory_(memory),
      maps_(maps),
      vectors_(std::make_unique<ScratchFile>(sibling_)),
      norms_(std::make_unique<ScratchFile>(sibling_)) {
  Rows(0, metric, storage);  // throws if metric and storage contradict each other
}

Element RowBuffer::common_element(const VectorsView& vectors, unsigned threads) {
  if (is_forced(storage_) || vectors.element == Element::bits)
    return VectorStore(storage_).element_with(vectors, threads);
  const IntegerFit fit = check_values(vectors, "vectors", threads);
  input_element_ = !input_element_ || *input_element_ == vectors.element ? vectors.element : Element::f32;
  fits_u8_ = fits_u8_ && fit.fits_u8;
  fits_s8_ = fits_s8_ && fit.fits_s8;
  if (*input_element_ == Element::u8 || *input_element_ == Element::s8) return *input_element_;
  return fits_u8_ ? Element::u8 : fits_s8_ ? Element::s8 : *input_element_;
}

void RowBuffer::rewrite(Element element, unsigned threads) {
  const Array<std::byte> old_vectors = maps_.array<std::byte>(*vectors_);
  auto new_file = std::make_unique<ScratchFile>(sibling_);
  std::vector<std::byte> converted;
  const VectorsView rows = {old_vectors.data(), element_, count_, dim_, row_bytes(element_, dim_)};
  for_each_chunk(rows, element, memory_, [&](const VectorsView& chunk) {
    converted.resize(chunk.count * row_bytes(element, dim_));
    convert(chunk, element, converted.data(), threads);
    new_file->append(converted);
    maps_.count_read(chunk.count * chunk.stride);
  });
  vectors_ = std::move(new_file);
}

void RowBuffer::append(const VectorsView& vectors, unsigned threads) {
  if (vectors.count == 0) return;
  Rows(dim_, metric_, storage_).require_shape(vectors, "vectors");
  if (vectors.count > max_rows - count_)
    throw InvalidArgument("an index holds at most " + std::to_string(max_rows) + " vectors");
  const Element element = common_element(vectors, threads);
  if (count_ > 0 && element != element_) rewrite(element, threads);
  element_ = element;
  dim_ = vectors.dim;
  std::vector<std::byte> converted;
  std::vector<float> norms;
  for_each_chunk(vectors, element, memory_, [&](const VectorsView& chunk) {
    converted.resize(chunk.count * row_bytes(element, dim_));
    convert(chunk, element, converted.data(), threads);
    const VectorsView stored = {converted.data(), element, chunk.count, dim_, row_bytes(element, dim_)};
    is_measurable_ = is_measurable_ && lookalike::is_measurable(stored, metric_, threads);
    if (norm_range_ != NormRange::measurable) norm_range_ = std::max(norm_range_, norm_range_of(stored, metric_));
    if (metric_ == Metric::ip) largest_norm_ = std::max(largest_norm_, lookalike::largest_norm(stored));
    if (metric_ == Metric::cosine) {
      norms.resize(chunk.count);
      inverse_norms(stored, norms.data());
      norms_->append(bytes_of(norms));
    }
    vectors_->append(converted);
    count_ += chunk.count;
  });
}

IdMap RowBuffer::sequential_ids() {
  ScratchFile file(sibling_);
  std::vector<std::int64_t> ids;
  for (std::size_t first = 0; first < count_; first += ids.size()) {
    ids.resize(std::min(std::max<std::size_t>(memory_ / sizeof(std::int64_t), 1), count_ - first));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(first + i);
    file.append(bytes_of(ids));
  }
  return IdMap(maps_.array<std::int64_t>(file));
}

IdMap RowBuffer::id_map(const IdsView& ids) const {
  IdMap map;
  map.require_distinct(ids);
  IdMap::Growth growth = map.grow(ids);
  map.commit(growth);
  return map;
}

Rows RowBuffer::rows(const std::optional<IdsView>& ids) {
  if (ids && ids->size() != count_) {
    throw InvalidArgument(std::to_string(ids->size()) + " ids for " + std::to_string(count_) + " vectors");
  }
  return Rows(metric_, VectorStore(storage_, element_, dim_, maps_.array<std::byte>(*vectors_)),
              maps_.array<float>(*norms_), largest_norm_, ids ? id_map(*ids) : sequential_ids());
}

}  // namespace lookalike
