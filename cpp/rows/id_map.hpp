// Which row an id names. A row is ours, an id is the user's.
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

/// Chosen by the first add. Part of the file format: never reorder.
enum class IdKind : std::uint8_t { none, integer, string };

/// Stands for "no id" in results, so it cannot be one.
inline constexpr std::int64_t no_id = -1;

/// Ids somebody else owns: integers, or strings where `strings` is set.
struct IdsView {
  std::span<const std::int64_t> integers;
  const Strings* strings = nullptr;

  IdKind kind() const noexcept { return strings ? IdKind::string : IdKind::integer; }
  std::size_t size() const noexcept { return strings ? strings->size() : integers.size(); }
  /// As a message shows it: 42 or 'cat.jpg'.
  std::string describe(std::size_t i) const;
};

/// Rows in insertion order, live and removed, and the ids of the live ones. Ascending integer ids, as automatic ones
/// are, are found by bisection; for others a table is built when first needed. Const members may be called from several
/// threads at once.
class IdMap {
 public:
  IdMap() = default;
  /// Ascending ids that are there already, none of them negative.
  explicit IdMap(Array<std::int64_t> ids)
      : kind_(IdKind::integer), next_(ids.empty() ? 0 : ids[ids.size() - 1] + 1), integers_(std::move(ids)) {}

  IdKind kind() const noexcept { return kind_; }
  /// Live and removed.
  std::size_t rows() const noexcept { return kind_ == IdKind::string ? strings_.size() : integers_.size(); }
  std::size_t live_count() const noexcept { return rows() - removed_; }
  std::size_t removed_count() const noexcept { return removed_; }
  std::size_t bytes() const noexcept;
  /// Null while no row was removed.
  const RowFilter* live() const noexcept { return removed_ ? &live_ : nullptr; }
  bool is_live(Row row) const noexcept { return !removed_ || live_.test(row); }
  std::vector<Row> live_rows() const;

  /// The live row of an id; no_row where there is none, or ids are of the other kind.
  Row find(std::int64_t id) const;
  Row find(std::string_view id) const;
  /// Throws InvalidArgument, naming `argument`, where `ids` are of the other kind.
  std::vector<Row> find(const IdsView& ids, const char* argument = "ids") const;

  std::int64_t integer(Row row) const noexcept { return integers_[row]; }
  std::string_view string(Row row) const noexcept { return strings_[row]; }

  /// Throws InvalidArgument where `ids` are of the other kind, repeat one another or hold -1.
  void require_distinct(const IdsView& ids) const;
  /// One above the largest id ever added, at least 0.
  std::int64_t next() const noexcept { return next_; }
  /// The ids that come when none are given: from one above the largest ever added, at least 0.
  std::vector<std::int64_t> automatic(std::size_t count) const;

  /// The next state, prepared while others read the present one.
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
  /// Prepares rows for ids that are distinct and not stored. Throws std::bad_alloc and changes nothing.
  Growth grow(const IdsView& ids);
  /// Throws std::bad_alloc and changes nothing; nothing else can fail.
  void commit(Growth& growth);

  /// Live rows stop being live. Throws std::bad_alloc and changes nothing.
  void remove(std::span<const Row> rows);

  /// Forgets the rows from `rows` on, live and removed, which `commit` put in: then the map owns its ids. The next id
  /// stays.
  void truncate(std::size_t rows) noexcept;

  /// As if there had never been an id; only where there are no rows.
  void reset() noexcept;

  /// The given live rows only, in that order.
  IdMap picked(std::span<const Row> rows) const;

  void save(FileWriter& file) const;
  /// Throws CorruptFile where sizes do not agree with `rows`. Deferred ids are not looked at.
  static IdMap load(const FileReader& file, std::size_t rows);
  /// Throws CorruptFile where the next id is not above the largest: for deferred ids, once they are verified.
  void require_next() const;

 private:
  struct Lookup {
    std::mutex building;
    std::atomic<bool> ready = false;
    RowTable table;
    std::atomic<bool> order_is_known = true;  // that of integer ids
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
  RowFilter live_{0};  // empty while nothing was removed
  std::unique_ptr<Lookup> lookup_ = std::make_unique<Lookup>();
};

}  // namespace lookalike
