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

/// Calls body(vectors) with rows that take about `bytes` bytes in `element`, in turn.
template <class Body>
void in_pieces(const VectorsView& vectors, Element element, std::size_t bytes, Body&& body) {
  const std::size_t step = std::max<std::size_t>(1, bytes / row_bytes(element, vectors.dim));
  for (std::size_t first = 0; first < vectors.count; first += step)
    body(vectors.slice(first, std::min(step, vectors.count - first)));
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

RowBuffer::RowBuffer(std::filesystem::path beside, Metric metric, Storage storage, std::size_t room, ScratchMaps& maps)
    : beside_(std::move(beside)),
      metric_(metric),
      storage_(storage),
      room_(room),
      maps_(maps),
      vectors_(std::make_unique<ScratchFile>(beside_)),
      norms_(std::make_unique<ScratchFile>(beside_)) {
  Rows(0, metric, storage);  // throws where they do not go together
}

Element RowBuffer::element_with(const VectorsView& vectors, unsigned threads) {
  if (is_forced(storage_) || vectors.element == Element::bits)
    return VectorStore(storage_).element_with(vectors, threads);
  const Survey found = survey(vectors, "vectors", threads);
  came_as_ = !came_as_ || *came_as_ == vectors.element ? vectors.element : Element::f32;
  fits_u8_ = fits_u8_ && found.fits_u8;
  fits_s8_ = fits_s8_ && found.fits_s8;
  if (*came_as_ == Element::u8 || *came_as_ == Element::s8) return *came_as_;
  return fits_u8_ ? Element::u8 : fits_s8_ ? Element::s8 : *came_as_;
}

void RowBuffer::rewrite(Element element, unsigned threads) {
  const Array<std::byte> old = maps_.array<std::byte>(*vectors_);
  auto next = std::make_unique<ScratchFile>(beside_);
  std::vector<std::byte> piece;
  const VectorsView rows = {old.data(), element_, count_, dim_, row_bytes(element_, dim_)};
  in_pieces(rows, element, room_, [&](const VectorsView& some) {
    piece.resize(some.count * row_bytes(element, dim_));
    convert(some, element, piece.data(), threads);
    next->append(piece);
    maps_.has_read(some.count * some.stride);
  });
  vectors_ = std::move(next);
}

void RowBuffer::append(const VectorsView& vectors, unsigned threads) {
  if (vectors.count == 0) return;
  Rows(dim_, metric_, storage_).require_shape(vectors, "vectors");
  if (vectors.count > max_rows - count_)
    throw InvalidArgument("an index holds at most " + std::to_string(max_rows) + " vectors");
  const Element element = element_with(vectors, threads);
  if (count_ > 0 && element != element_) rewrite(element, threads);
  element_ = element;
  dim_ = vectors.dim;
  std::vector<std::byte> piece;
  std::vector<float> norms;
  in_pieces(vectors, element, room_, [&](const VectorsView& some) {
    piece.resize(some.count * row_bytes(element, dim_));
    convert(some, element, piece.data(), threads);
    const VectorsView kept = {piece.data(), element, some.count, dim_, row_bytes(element, dim_)};
    is_measurable_ = is_measurable_ && lookalike::is_measurable(kept, metric_, threads);
    if (squares_ != Squares::measurable) squares_ = std::max(squares_, squares_of(kept, metric_));
    if (metric_ == Metric::ip) largest_norm_ = std::max(largest_norm_, lookalike::largest_norm(kept));
    if (metric_ == Metric::cosine) {
      norms.resize(some.count);
      inverse_norms(kept, norms.data());
      norms_->append(bytes_of(norms));
    }
    vectors_->append(piece);
    count_ += some.count;
  });
}

IdMap RowBuffer::numbered() {
  ScratchFile file(beside_);
  std::vector<std::int64_t> ids;
  for (std::size_t first = 0; first < count_; first += ids.size()) {
    ids.resize(std::min(std::max<std::size_t>(room_ / sizeof(std::int64_t), 1), count_ - first));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int64_t>(first + i);
    file.append(bytes_of(ids));
  }
  return IdMap(maps_.array<std::int64_t>(file));
}

IdMap RowBuffer::named(const IdsView& ids) const {
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
              maps_.array<float>(*norms_), largest_norm_, ids ? named(*ids) : numbered());
}

}  // namespace lookalike
