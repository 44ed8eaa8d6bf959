// Maps ids (the user's names of vectors) to rows (internal numbers) and back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/array.hpp"
#include "base/types.hpp"
#include "rows/extension.hpp"
#include "rows/row_table.hpp"
#include "rows/strings.hpp"
#include "storage/file.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

/// Set by the first add. Part of the file format: never reorder.
enum class IdKind : std::uint8_t { none, integer, string };

/// Pads results that have fewer than k neighbours, so no vector can have this id.
inline constexpr std::int64_t no_id = -1;

/// Borrowed ids: `strings` if it is set, else `integers`.
struct IdsView {
  std::span<const std::int64_t> integers;
  const Strings* strings = nullptr;

  IdKind kind() const noexcept { return strings ? IdKind::string : IdKind::integer; }
  std::size_t size() const noexcept { return strings ? strings->size() : integers.size(); }
  /// Formats an id for messages: 42 or 'cat.jpg'.
  std::string describe(std::size_t i) const;
};

/// The ids of all rows in insertion order, and a bit per row that marks removed ones (tombstones). Ascending integer
/// ids, such as automatic ones, are looked up by binary search; other ids by a hash table, which is built on first use.
/// Const members are thread-safe among each other.
class IdMap {
 public:
  IdMap() = default;
  /// Takes over ascending, non-negative ids.
  explicit IdMap(Array<std::int64_t> ids)
      : kind_(IdKind::integer), next_(ids.empty() ? 0 : ids[ids.size() - 1] + 1), integers_(std::move(ids)) {}

  IdKind kind() const noexcept { return kind_; }
  /// Live and removed rows.
  std::size_t rows() const noexcept { return kind_ == IdKind::string ? strings_.size() : integers_.size(); }
  std::size_t live_count() const noexcept { return rows() - removed_; }
  std::size_t removed_count() const noexcept { return removed_; }
  std::size_t bytes() const noexcept;
  /// Null if no row is removed.
  const RowFilter* live() const noexcept { return removed_ ? &live_ : nullptr; }
  bool is_live(Row row) const noexcept { return !removed_ || live_.test(row); }
  std::vector<Row> live_rows() const;

  /// The live row with this id; no_row if there is none or the map has the other kind of ids.
  Row find(std::int64_t id) const;
  Row find(std::string_view id) const;
  /// The row of each id. Throws InvalidArgument, naming `argument`, if the map has the other kind of ids.
  std::vector<Row> find(const IdsView& ids, const char* argument = "ids") const;

  std::int64_t integer(Row row) const noexcept { return integers_[row]; }
  std::string_view string(Row row) const noexcept { return strings_[row]; }

  /// Throws InvalidArgument if the map has the other kind of ids, an id occurs twice, or an id is -1.
  void require_distinct(const IdsView& ids) const;
  /// One more than the largest integer id ever added; at least 0.
  std::int64_t next_id() const noexcept { return next_; }
  /// The ids of `count` vectors that are added without ids: next_id() and the following numbers.
  std::vector<std::int64_t> automatic_ids(std::size_t count) const;

  /// A prepared append. Readers of the map are not affected until `commit`.
  class Growth {
    friend class IdMap;
    IdKind kind;
    std::size_t count;
    std::optional<Extension<std::int64_t>> integers;
    std::optional<Extension<std::uint64_t>> ends;
    std::optional<Extension<std::byte>> text;
    bool ascending;
    std::int64_t next;
  };
  /// Prepares to append `ids`, which are distinct and not in the map. If it throws std::bad_alloc, nothing has changed.
  Growth grow(const IdsView& ids);
  /// Can throw only std::bad_alloc; then nothing has changed.
  void commit(Growth& growth);

  /// Marks rows as removed. If it throws std::bad_alloc, nothing has changed.
  void remove(std::span<const Row> rows);

  /// Rolls back appends: drops the rows from `rows` on, live and removed. `commit` added them, so the map owns its
  /// arrays. next_id() keeps its value.
  void truncate(std::size_t rows) noexcept;

  /// Returns to the state of a new map. Precondition: there are no rows.
  void reset() noexcept;

  /// A map of the given live rows, in that order.
  IdMap subset(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile if sizes do not agree with `rows`. Deferred ids are not read, and so not checked.
  static IdMap load(const FileReader& file, std::size_t rows);
  /// Throws CorruptFile unless next_id() is greater than every id. For deferred ids: call it once they are verified.
  void require_next() const;

 private:
  struct Lookup {
    std::mutex mutex;  // held while the table is built or the order is checked
    std::atomic<bool> ready = false;
    RowTable table;
    std::atomic<bool> order_is_known = true;  // whether `ascending` is valid
    bool ascending = true;
  };
  bool is_ascending() const;
  void set_ascending(bool ascending) noexcept;
  const RowTable& table() const;
  std::uint64_t hash_of(Row row) const noexcept;

  IdKind kind_ = IdKind::none;
  std::int64_t next_ = 0;
  Array<std::int64_t> integers_;
  Strings strings_;
  std::size_t removed_ = 0;
  RowFilter live_{0};  // empty if no row is removed
  std::unique_ptr<Lookup> lookup_ = std::make_unique<Lookup>();
};

}  // namespace lookalike
