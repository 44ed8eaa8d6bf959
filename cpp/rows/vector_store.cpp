#include "rows/vector_store.hpp"

#include <cstring>
#include <utility>

#include "base/errors.hpp"

namespace lookalike {
namespace {

Element element_of(Storage storage) { return static_cast<Element>(static_cast<int>(storage) - 1); }

void require_representable(const VectorsView& vectors, Element element) {
  const std::optional<BadValue> bad_value =
      element == Element::f16 ? first_out_of_half_range(vectors) : first_not_representable(vectors, element);
  if (!bad_value) return;
  const char* needed = element == Element::u8   ? "integers in [0, 255]"
                       : element == Element::s8 ? "integers in [-128, 127]"
                                                : "values in [-65504, 65504]";
  throw InvalidArgument(describe("vectors", *bad_value) + ", but codes='" + name_of(element) + "' holds " + needed +
                        "; codes='auto' keeps every vector without loss");
}

}  // namespace

Element VectorStore::element_with(const VectorsView& vectors, unsigned threads) const {
  if (vectors.element == Element::bits) return Element::bits;
  const IntegerFit found = check_values(vectors, "vectors", threads);
  if (is_forced(storage_)) {
    const Element forced = element_of(storage_);
    const bool fits_forced = (forced == Element::u8 && found.fits_u8) || (forced == Element::s8 && found.fits_s8);
    if (!fits_forced) require_representable(vectors, forced);
    return forced;
  }
  if (rows_ == 0) {
    if (vectors.element == Element::u8 || vectors.element == Element::s8) return vectors.element;
    return found.fits_u8 ? Element::u8 : found.fits_s8 ? Element::s8 : vectors.element;
  }
  const bool fits = element_ == Element::u8   ? found.fits_u8
                    : element_ == Element::s8 ? found.fits_s8
                                              : !first_not_representable(vectors, element_);
  return fits ? element_ : Element::f32;
}

VectorStore::Growth VectorStore::grow(Element element, std::size_t dim, std::size_t count, unsigned threads) {
  const std::size_t bytes = row_bytes(element, dim);
  const std::size_t offset = (rows_ - dropped_rows_) * bytes;
  if (offset == 0 || element == element_) return {{bytes_, count * bytes}, element, dim, offset, count};
  Array<std::byte> converted;
  converted.resize_for_overwrite(offset + count * bytes);
  convert(view(), element, converted.mutable_data(), threads);
  return {{bytes_, std::move(converted)}, element, dim, offset, count};
}

void VectorStore::commit(Growth& growth) noexcept {
  growth.bytes_.commit();
  element_ = growth.element_;
  dim_ = growth.dim_;
  rows_ += growth.count_;
}

void VectorStore::drop_vectors() noexcept {
  bytes_ = {};
  dropped_rows_ = rows_;
}

void VectorStore::overwrite(Row row, const std::byte* bytes) noexcept {
  if (row < dropped_rows_) return;
  std::memcpy(bytes_.mutable_data() + (row - dropped_rows_) * stride(), bytes, stride());
}

void VectorStore::truncate(std::size_t rows) noexcept {
  bytes_.resize_for_overwrite((rows - dropped_rows_) * stride());
  rows_ = rows;
}

VectorStore VectorStore::subset(std::span<const Row> rows) const {
  VectorStore store(storage_);
  store.element_ = element_;
  store.dim_ = dim_;
  store.rows_ = rows.size();
  if (dropped_rows_ > 0) {
    store.dropped_rows_ = store.rows_;
    return store;
  }
  store.bytes_.resize_for_overwrite(rows.size() * stride());
  std::byte* out = store.bytes_.mutable_data();
  for (const Row from : rows) {
    std::memcpy(out, row(from), stride());
    out += stride();
  }
  return store;
}

void VectorStore::save(FileWriter& file) const {
  file.value<std::uint8_t>("codes", static_cast<std::uint8_t>(storage_));
  file.value<std::uint8_t>("element", static_cast<std::uint8_t>(element_));
  file.value<std::uint64_t>("stored_dim", dim_);
  file.value<std::uint64_t>("rows", rows_);
  file.array<std::byte>("vectors", bytes_.span());
}

VectorStore VectorStore::load(const FileReader& file) {
  const std::uint8_t storage = file.value<std::uint8_t>("codes");
  const std::uint8_t element = file.value<std::uint8_t>("element");
  const std::uint64_t dim = file.value<std::uint64_t>("stored_dim");
  const std::uint64_t rows = file.value<std::uint64_t>("rows");
  if (storage > static_cast<int>(Storage::none)) throw CorruptFile("unknown codes " + std::to_string(storage));
  if (element > static_cast<int>(Element::bits)) throw CorruptFile("unknown element " + std::to_string(element));
  if (dim > max_dim || rows > max_rows || (rows > 0 && dim == 0)) {
    throw CorruptFile("impossible shape: " + std::to_string(rows) + " rows of dim " + std::to_string(dim));
  }
  VectorStore store(static_cast<Storage>(storage));
  store.element_ = static_cast<Element>(element);
  store.dim_ = dim;
  store.rows_ = rows;
  store.bytes_ = file.array<std::byte>("vectors");
  if (is_forced(store.storage_) && rows > 0 && element_of(store.storage_) != store.element_) {
    throw CorruptFile("codes and element do not agree");
  }
  if (store.storage_ == Storage::none && store.bytes_.empty()) {
    store.dropped_rows_ = rows;
  } else if (store.bytes_.size() != rows * store.stride()) {
    throw CorruptFile("section 'vectors' holds " + std::to_string(store.bytes_.size()) + " bytes where " +
                      std::to_string(rows * store.stride()) + " were needed");
  }
  return store;
}

}  // namespace lookalike
