#include "rows/id_map.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>

#include "base/errors.hpp"

namespace lookalike {
namespace {

/// The finaliser of SplitMix64 [Steele, Lea, Flood 2014].
std::uint64_t hash_integer(std::int64_t id) noexcept {
  std::uint64_t x = static_cast<std::uint64_t>(id);
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

std::uint64_t hash_string(std::string_view id) noexcept { return std::hash<std::string_view>{}(id); }

std::uint64_t hash_at(const IdsView& ids, std::size_t i) noexcept {
  return ids.strings ? hash_string((*ids.strings)[i]) : hash_integer(ids.integers[i]);
}

bool are_equal(const IdsView& ids, std::size_t a, std::size_t b) noexcept {
  return ids.strings ? (*ids.strings)[a] == (*ids.strings)[b] : ids.integers[a] == ids.integers[b];
}

bool are_ascending(std::span<const std::int64_t> ids) noexcept {
  return std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) == ids.end();
}

const char* type_name_of(IdKind kind) { return kind == IdKind::string ? "str" : "int"; }

std::int64_t successor(std::int64_t id) noexcept {
  return id == std::numeric_limits<std::int64_t>::max() ? id : id + 1;
}

}  // namespace

std::string IdsView::describe(std::size_t i) const {
  if (!strings) return std::to_string(integers[i]);
  return std::string("'").append((*strings)[i]).append("'");
}

std::size_t IdMap::bytes() const noexcept { return integers_.size() * sizeof(std::int64_t) + strings_.bytes(); }

std::vector<Row> IdMap::live_rows() const {
  std::vector<Row> live;
  live.reserve(live_count());
  for (std::size_t row = 0; row < rows(); ++row) {
    if (is_live(static_cast<Row>(row))) live.push_back(static_cast<Row>(row));
  }
  return live;
}

std::uint64_t IdMap::hash_of(Row row) const noexcept {
  return kind_ == IdKind::string ? hash_string(strings_[row]) : hash_integer(integers_[row]);
}

const RowTable& IdMap::table() const {
  if (!lookup_->ready.load(std::memory_order_acquire)) {
    const std::scoped_lock lock(lookup_->mutex);
    if (!lookup_->ready.load(std::memory_order_relaxed)) {
      RowTable table;
      table.reserve(live_count());
      for (const Row row : live_rows()) table.insert(hash_of(row), row);
      lookup_->table = std::move(table);
      lookup_->ready.store(true, std::memory_order_release);
    }
  }
  return lookup_->table;
}

bool IdMap::is_ascending() const {
  if (!lookup_->order_is_known.load(std::memory_order_acquire)) {
    const std::scoped_lock lock(lookup_->mutex);
    if (!lookup_->order_is_known.load(std::memory_order_relaxed)) {
      lookup_->ascending = are_ascending(integers_.span());
      lookup_->order_is_known.store(true, std::memory_order_release);
    }
  }
  return lookup_->ascending;
}

void IdMap::set_ascending(bool ascending) noexcept {
  lookup_->ascending = ascending;
  lookup_->order_is_known.store(true, std::memory_order_release);
}

Row IdMap::find(std::int64_t id) const {
  if (kind_ != IdKind::integer) return no_row;
  if (!is_ascending()) return table().find(hash_integer(id), [&](Row row) { return integers_[row] == id; });
  const std::int64_t* at = std::lower_bound(integers_.begin(), integers_.end(), id);
  const Row row = static_cast<Row>(at - integers_.begin());
  return at != integers_.end() && *at == id && is_live(row) ? row : no_row;
}

Row IdMap::find(std::string_view id) const {
  if (kind_ != IdKind::string) return no_row;
  return table().find(hash_string(id), [&](Row row) { return strings_[row] == id; });
}

std::vector<Row> IdMap::find(const IdsView& ids, const char* argument) const {
  if (kind_ != IdKind::none && ids.size() > 0 && ids.kind() != kind_) {
    throw InvalidArgument(std::string(argument) + " came as " + type_name_of(ids.kind()) + ", but this index has " +
                          type_name_of(kind_) + " ids");
  }
  std::vector<Row> found(ids.size(), no_row);
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i] = ids.strings ? find((*ids.strings)[i]) : find(ids.integers[i]);
  }
  return found;
}

void IdMap::require_distinct(const IdsView& ids) const {
  if (kind_ != IdKind::none && ids.size() > 0 && ids.kind() != kind_) {
    throw InvalidArgument(std::string("ids are ") + type_name_of(ids.kind()) + ", but this index has " +
                          type_name_of(kind_) + " ids; one index takes one kind");
  }
  const auto reserved = std::find(ids.integers.begin(), ids.integers.end(), no_id);
  if (reserved != ids.integers.end()) {
    throw InvalidArgument("ids[" + std::to_string(reserved - ids.integers.begin()) +
                          "] is -1, which pads results with fewer than k neighbors; choose another id");
  }
  if (!ids.strings && are_ascending(ids.integers)) return;
  RowTable seen;
  seen.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::uint64_t hash = hash_at(ids, i);
    const Row first = seen.find(hash, [&](Row other) { return are_equal(ids, i, other); });
    if (first != no_row) {
      throw InvalidArgument("ids[" + std::to_string(i) + "] is " + ids.describe(i) + ", which ids[" +
                            std::to_string(first) + "] is already; every id must be given once");
    }
    seen.insert(hash, static_cast<Row>(i));
  }
}

std::vector<std::int64_t> IdMap::automatic_ids(std::size_t count) const {
  if (kind_ == IdKind::string)
    throw InvalidArgument("ids are missing; this index has str ids, so pass ids with every add");
  if (static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - next_) < count) {
    throw InvalidArgument("ids are missing, and too few integers are left above the largest id; pass ids");
  }
  std::vector<std::int64_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = next_ + static_cast<std::int64_t>(i);
  return ids;
}

IdMap::Growth IdMap::grow(const IdsView& ids) {
  Growth growth;
  growth.kind = ids.kind();
  growth.count = ids.size();
  growth.ascending = is_ascending();
  growth.next = next_;
  if (ids.strings) {
    const Strings& fresh = *ids.strings;
    growth.ends.emplace(strings_.ends(), fresh.size());
    growth.text.emplace(strings_.text(), fresh.text().size());
    const std::size_t text = strings_.text().size();
    for (std::size_t i = 0; i < fresh.size(); ++i) growth.ends->data()[strings_.size() + i] = text + fresh.ends()[i];
    std::copy(fresh.text().begin(), fresh.text().end(), growth.text->data() + text);
  } else if (!ids.integers.empty()) {
    growth.integers.emplace(integers_, ids.size());
    std::copy(ids.integers.begin(), ids.integers.end(), growth.integers->data() + integers_.size());
    const bool follows = integers_.empty() || integers_[integers_.size() - 1] < ids.integers.front();
    growth.ascending = growth.ascending && follows && are_ascending(ids.integers);
    growth.next = std::max(next_, successor(*std::max_element(ids.integers.begin(), ids.integers.end())));
  }
  return growth;
}

void IdMap::commit(Growth& growth) {
  if (growth.count == 0) return;
  const std::size_t before = rows();
  const bool has_table = lookup_->ready.load(std::memory_order_relaxed);
  if (has_table) lookup_->table.reserve(live_count() + growth.count);
  if (removed_) live_.resize(before + growth.count, true);
  if (growth.integers) growth.integers->commit();
  if (growth.ends) growth.ends->commit();
  if (growth.text) growth.text->commit();
  kind_ = growth.kind;
  set_ascending(growth.ascending);
  next_ = growth.next;
  if (!has_table) return;
  for (std::size_t row = before; row < rows(); ++row) {
    lookup_->table.insert(hash_of(static_cast<Row>(row)), static_cast<Row>(row));
  }
}

void IdMap::remove(std::span<const Row> rows_to_remove) {
  if (!removed_) live_ = RowFilter(rows(), true);
  for (const Row row : rows_to_remove) {
    if (!live_.test(row)) continue;
    live_.reset(row);
    ++removed_;
    if (lookup_->ready.load(std::memory_order_relaxed)) lookup_->table.erase(hash_of(row), row);
  }
}

void IdMap::truncate(std::size_t rows_to_keep) noexcept {
  const bool has_table = lookup_->ready.load(std::memory_order_relaxed);
  for (std::size_t i = rows_to_keep; i < rows(); ++i) {
    const Row row = static_cast<Row>(i);
    if (!is_live(row)) {
      --removed_;
    } else if (has_table) {
      lookup_->table.erase(hash_of(row), row);
    }
  }
  if (removed_) live_.resize(rows_to_keep, true);
  if (kind_ == IdKind::string) {
    strings_.text().resize_for_overwrite(rows_to_keep ? strings_.ends()[rows_to_keep - 1] : 0);
    strings_.ends().resize_for_overwrite(rows_to_keep);
  } else {
    integers_.resize_for_overwrite(rows_to_keep);
  }
}

void IdMap::reset() noexcept {
  kind_ = IdKind::none;
  set_ascending(true);
  next_ = 0;
  integers_ = {};
  strings_ = {};
}

IdMap IdMap::subset(std::span<const Row> rows_to_keep) const {
  IdMap map;
  map.kind_ = kind_;
  map.next_ = next_;
  if (kind_ == IdKind::string) {
    for (const Row row : rows_to_keep) map.strings_.push_back(strings_[row]);
  } else {
    map.integers_.resize_for_overwrite(rows_to_keep.size());
    std::int64_t* out = map.integers_.mutable_data();
    for (const Row row : rows_to_keep) *out++ = integers_[row];
  }
  map.set_ascending(are_ascending(map.integers_.span()));
  return map;
}

void IdMap::save(FileWriter& file) const {
  file.value<std::uint8_t>("id_kind", static_cast<std::uint8_t>(kind_));
  file.value<std::int64_t>("next_id", next_);
  if (kind_ == IdKind::string) {
    file.array<std::uint64_t>("id_ends", strings_.ends().span());
    file.array<std::byte>("id_text", strings_.text().span());
  } else {
    file.array<std::int64_t>("ids", integers_.span());
  }
  file.array<std::uint64_t>("live", removed_ ? live_.words() : std::span<const std::uint64_t>{});
}

IdMap IdMap::load(const FileReader& file, std::size_t rows) {
  const std::uint8_t kind = file.value<std::uint8_t>("id_kind");
  if (kind > static_cast<int>(IdKind::string)) throw CorruptFile("unknown kind of ids " + std::to_string(kind));
  IdMap map;
  map.kind_ = static_cast<IdKind>(kind);
  map.next_ = file.value<std::int64_t>("next_id");
  if (map.kind_ == IdKind::string) {
    map.strings_ = Strings(file.array<std::uint64_t>("id_ends"), file.array<std::byte>("id_text"));
  } else {
    map.integers_ = file.array<std::int64_t>("ids");
  }
  if (map.rows() != rows || (map.kind_ == IdKind::none && rows > 0)) {
    throw CorruptFile(std::to_string(map.rows()) + " ids for " + std::to_string(rows) + " vectors");
  }
  if (file.is_deferred("ids")) {
    map.lookup_->order_is_known = false;
  } else {
    map.set_ascending(are_ascending(map.integers_.span()));
    map.require_next();
  }
  if (map.next_ < 0) throw CorruptFile("the next id is negative");
  const Array<std::uint64_t> live = file.array<std::uint64_t>("live");
  if (live.empty()) return map;
  if (live.size() != (rows + 63) / 64) throw CorruptFile("section 'live' does not hold one bit per row");
  map.live_ = RowFilter(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    if (live[row / 64] >> (row % 64) & 1) map.live_.set(static_cast<Row>(row));
  }
  map.removed_ = rows - map.live_.count();
  return map;
}

void IdMap::require_next() const {
  if (integers_.empty()) return;
  const auto largest = *std::max_element(integers_.begin(), integers_.end());
  if (next_ < successor(largest)) throw CorruptFile("the next id is not greater than the largest id");
}

}  // namespace lookalike
