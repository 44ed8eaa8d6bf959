// Stores the vectors of an index as dense rows of one element.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "base/array.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "rows/extension.hpp"
#include "rows/values.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// The requested element. With `none` vectors are stored as with `automatic` until they are dropped. Part of the file
/// format: never reorder.
enum class Storage : std::uint8_t { automatic, f32, f16, u8, s8, bits, none };

constexpr const char* name_of(Storage storage) {
  constexpr const char* names[] = {"auto", "f32", "f16", "u8", "s8", "bits", "none"};
  return names[static_cast<int>(storage)];
}

/// Whether the user requested a certain element.
constexpr bool is_forced(Storage storage) { return storage != Storage::automatic && storage != Storage::none; }

inline constexpr std::size_t max_dim = 65536;
inline constexpr std::size_t max_rows = 0xfffffffe;

/// With Storage::automatic, u8, s8 and f16 vectors keep their element, and float vectors whose values are all integers
/// of 8 bits become u8 or s8. If new vectors do not fit the store's element, the whole store is converted to f32.
class VectorStore {
 public:
  explicit VectorStore(Storage storage) : storage_(storage) {}
  /// Takes over dense rows of an element that `storage` allows.
  VectorStore(Storage storage, Element element, std::size_t dim, Array<std::byte> rows)
      : storage_(storage),
        element_(element),
        dim_(dim),
        rows_(rows.size() / row_bytes(element, dim)),
        bytes_(std::move(rows)) {}

  Storage storage() const noexcept { return storage_; }
  /// Valid if there are rows.
  Element element() const noexcept { return element_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t bytes() const noexcept { return bytes_.size(); }
  /// The vectors of rows below this number are dropped; the rows still count. 0 unless storage() is `none`.
  std::size_t dropped_rows() const noexcept { return dropped_rows_; }
  /// The rows that are not dropped.
  VectorsView view() const noexcept { return {bytes_.data(), element_, rows_ - dropped_rows_, dim_, stride()}; }
  /// The vector of a row that is not dropped.
  const std::byte* row(Row row) const noexcept { return bytes_.data() + (row - dropped_rows_) * stride(); }

  /// The element that holds both the stored rows and `vectors`. Throws InvalidArgument, naming the first value that is
  /// not finite or that the requested element cannot hold.
  Element element_with(const VectorsView& vectors, unsigned threads) const;

  /// A prepared append. Readers of the store are not affected until `commit`.
  class Growth {
   public:
    Element element() const noexcept { return element_; }
    /// The bytes of the new rows, dense, for the caller to write.
    std::byte* new_rows() { return bytes_.data() + offset_; }
    VectorsView view() { return {new_rows(), element_, count_, dim_, row_bytes(element_, dim_)}; }

   private:
    friend class VectorStore;
    Growth(Extension<std::byte> bytes, Element element, std::size_t dim, std::size_t offset, std::size_t count)
        : bytes_(std::move(bytes)), element_(element), dim_(dim), offset_(offset), count_(count) {}
    Extension<std::byte> bytes_;
    Element element_;
    std::size_t dim_;
    std::size_t offset_;
    std::size_t count_;
  };

  /// Prepares to append `count` rows; converts the stored rows if `element` differs from theirs. After `commit` the
  /// store owns its rows. If it throws std::bad_alloc or Interrupted, nothing has changed.
  Growth grow(Element element, std::size_t dim, std::size_t count, unsigned threads);
  void commit(Growth& growth) noexcept;

  /// Drops the vectors of all present rows.
  void drop_vectors() noexcept;

  /// Overwrites the vector of a row, unless it is dropped. Precondition: the store owns its rows.
  void overwrite(Row row, const std::byte* bytes) noexcept;

  /// Rolls back appends: removes the rows from `rows` on. `commit` added them, so the store owns its rows.
  void truncate(std::size_t rows) noexcept;

  /// A store of the given rows, in that order. Precondition: all vectors are dropped, or none.
  VectorStore subset(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile if sizes do not agree.
  static VectorStore load(const FileReader& file);

 private:
  std::size_t stride() const noexcept { return row_bytes(element_, dim_); }

  Storage storage_;
  Element element_ = Element::f32;
  std::size_t dim_ = 0;
  std::size_t rows_ = 0;
  std::size_t dropped_rows_ = 0;
  Array<std::byte> bytes_;
};

}  // namespace lookalike
