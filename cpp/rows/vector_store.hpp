// The rows of an index: vectors of one element, dense, kept without loss.
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

/// How vectors are asked to be stored; `none`: as with `automatic`, until they are forgotten. Part of the file format:
/// never reorder.
enum class Storage : std::uint8_t { automatic, f32, f16, u8, s8, bits, none };

constexpr const char* name_of(Storage storage) {
  constexpr const char* names[] = {"auto", "f32", "f16", "u8", "s8", "bits", "none"};
  return names[static_cast<int>(storage)];
}

/// Whether the user said which element vectors are stored as.
constexpr bool is_forced(Storage storage) { return storage != Storage::automatic && storage != Storage::none; }

inline constexpr std::size_t max_dim = 65536;
inline constexpr std::size_t max_rows = 0xfffffffe;

/// With Storage::automatic, u8, s8 and f16 vectors are kept as they came, and float vectors whose values are all small
/// integers become u8 or s8. Vectors that do not fit turn the whole store to f32, which holds every value it had.
class VectorStore {
 public:
  explicit VectorStore(Storage storage) : storage_(storage) {}
  /// Dense rows that are there already, in an element that `codes` allow.
  VectorStore(Storage storage, Element element, std::size_t dim, Array<std::byte> rows)
      : storage_(storage),
        element_(element),
        dim_(dim),
        rows_(rows.size() / row_bytes(element, dim)),
        bytes_(std::move(rows)) {}

  Storage storage() const noexcept { return storage_; }
  /// Meaningful once there are rows.
  Element element() const noexcept { return element_; }
  std::size_t dim() const noexcept { return dim_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t bytes() const noexcept { return bytes_.size(); }
  /// Rows before this one are forgotten: they count, but their vectors are not there. 0 unless codes() are `none`.
  std::size_t forgotten() const noexcept { return forgotten_; }
  /// The rows that are there.
  VectorsView view() const noexcept { return {bytes_.data(), element_, rows_ - forgotten_, dim_, stride()}; }
  /// One that is there.
  const std::byte* row(Row row) const noexcept { return bytes_.data() + (row - forgotten_) * stride(); }

  /// The element with which the store holds `vectors` beside what it has. Throws InvalidArgument naming the first
  /// value that the forced codes cannot take, or the first that is not finite.
  Element element_with(const VectorsView& vectors, unsigned threads) const;

  /// The store's next state, prepared while others read the present one.
  class Growth {
   public:
    Element element() const noexcept { return element_; }
    /// Where the new rows go, dense.
    std::byte* room() { return bytes_.data() + offset_; }
    VectorsView view() { return {room(), element_, count_, dim_, row_bytes(element_, dim_)}; }

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

  /// Makes room for `count` rows, and a copy in another element where that changes. After `commit` the store owns its
  /// rows. Throws std::bad_alloc or Interrupted and changes nothing.
  Growth grow(Element element, std::size_t dim, std::size_t count, unsigned threads);
  void commit(Growth& growth) noexcept;

  /// Forgets the vectors of all rows there are.
  void forget() noexcept;

  /// Overwrites a row, unless it is forgotten, with bytes of the store's element. The store owns its rows.
  void overwrite(Row row, const std::byte* bytes) noexcept;

  /// Takes away the rows from `rows` on, which `commit` put in: then the store owns its rows.
  void truncate(std::size_t rows) noexcept;

  /// The given rows only, in that order. All are forgotten, or none.
  VectorStore picked(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree.
  static VectorStore load(const FileReader& file);

 private:
  std::size_t stride() const noexcept { return row_bytes(element_, dim_); }

  Storage storage_;
  Element element_ = Element::f32;
  std::size_t dim_ = 0;
  std::size_t rows_ = 0;
  std::size_t forgotten_ = 0;
  Array<std::byte> bytes_;
};

}  // namespace lookalike
