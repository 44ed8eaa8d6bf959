#include "indexes/flat.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "indexes/flat_change.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr double most_removed = 0.25;

void require_finite_radius(float radius) {
  if (std::isnan(radius)) throw InvalidArgument("radius is nan; it must be a number");
}

/// Bytes are always finite.
void require_finite(const VectorsView& queries, unsigned threads) {
  const bool floats = queries.element == Element::f32 || queries.element == Element::f16;
  if (floats) survey(queries, "queries", queries.count == 1 ? 1 : threads);
}

void require_known(const IdsView& ids, const std::vector<Row>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == no_row) throw UnknownId("id " + ids.describe(i) + " is not in the index");
  }
}

}  // namespace

Flat::Flat(std::size_t dim, Metric metric, Codes codes) : metric_(metric), codes_(codes), dim_(dim), store_(codes) {
  if (dim > max_dim) {
    throw InvalidArgument("dim is " + std::to_string(dim) + "; at most " + std::to_string(max_dim) + " are supported");
  }
  const bool bits = codes == Codes::bits;
  if (metric == Metric::hamming ? !(bits || codes == Codes::automatic) : bits) {
    throw InvalidArgument("codes='bits' and metric='hamming' go together, and neither with anything but codes='auto'");
  }
}

std::size_t Flat::dim() const {
  const std::shared_lock reading(lock_);
  return dim_;
}

std::size_t Flat::size() const {
  const std::shared_lock reading(lock_);
  return ids_.live_count();
}

IdKind Flat::id_kind() const {
  const std::shared_lock reading(lock_);
  return ids_.kind();
}

std::optional<Element> Flat::element() const {
  const std::shared_lock reading(lock_);
  if (store_.rows() == 0) return std::nullopt;
  return store_.element();
}

std::size_t Flat::bytes() const {
  const std::shared_lock reading(lock_);
  return store_.bytes() + inverse_norms_.size() * sizeof(float) + ids_.bytes() + sketch_.bytes();
}

double Flat::removed_share() const {
  const std::shared_lock reading(lock_);
  return ids_.rows() ? static_cast<double>(ids_.removed_count()) / static_cast<double>(ids_.rows()) : 0;
}

std::int64_t Flat::next_id() const {
  const std::shared_lock reading(lock_);
  return ids_.next();
}

OwnedIds Flat::ids() const {
  const std::shared_lock reading(lock_);
  OwnedIds ids;
  ids.kind = ids_.kind();
  for (const Row row : ids_.live_rows()) {
    if (ids.kind == IdKind::string) {
      ids.strings.push_back(ids_.string(row));
    } else {
      ids.integers.push_back(ids_.integer(row));
    }
  }
  return ids;
}

void Flat::require_shape(const VectorsView& vectors, const char* argument) const {
  if ((vectors.element == Element::bits) != (metric_ == Metric::hamming)) {
    throw InvalidArgument(std::string(argument) + " must be packed bits (uint8) for metric='hamming', and only for it");
  }
  if (vectors.dim == 0 || vectors.dim > max_dim) {
    throw InvalidArgument(std::string(argument) + " have dim " + std::to_string(vectors.dim) +
                          "; it must be between 1 and " + std::to_string(max_dim));
  }
  if (dim_ != 0 && vectors.dim != dim_) {
    throw DimensionMismatch(std::string(argument) + " have dim " + std::to_string(vectors.dim) +
                            ", but the index has dim " + std::to_string(dim_));
  }
}

void Flat::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  const std::scoped_lock writing(seat_);
  if (vectors.count > 0) require_shape(vectors, "vectors");
  ids_.require_distinct(ids);
  const std::vector<Row> stored = ids_.find(ids);
  const auto known = std::find_if(stored.begin(), stored.end(), [](Row row) { return row != no_row; });
  if (known != stored.end()) {
    const auto at = static_cast<std::size_t>(known - stored.begin());
    throw InvalidArgument("ids[" + std::to_string(at) + "] is " + ids.describe(at) +
                          ", which is in the index already; upsert replaces its vector");
  }
  add_distinct(vectors, ids, threads);
}

void Flat::add(const VectorsView& vectors, unsigned threads) {
  const std::scoped_lock writing(seat_);
  if (vectors.count == 0) return;
  require_shape(vectors, "vectors");
  const std::vector<std::int64_t> ids = ids_.automatic(vectors.count);
  add_distinct(vectors, {ids}, threads);
}

void Flat::add_distinct(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  if (vectors.count == 0) return;
  Change change(*this, vectors, ids, threads);
  commit(change);
}

void Flat::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  const std::scoped_lock writing(seat_);
  if (vectors.count == 0) return;
  require_shape(vectors, "vectors");
  ids_.require_distinct(ids);
  Change change(*this, vectors, ids, ids_.find(ids), threads);
  commit(change);
}

void Flat::commit(Change& change) {
  const std::unique_lock exclusive(lock_);
  ids_.commit(change.ids);  // the only step that can fail, and it comes first
  sketch_.forget();
  store_.commit(change.store);
  dim_ = store_.dim();
  largest_norm_ = std::max(largest_norm_, change.largest_norm);
  if (change.norms) change.norms->commit();
  const std::size_t bytes = row_bytes(store_.element(), dim_);
  for (std::size_t i = 0; i < change.replaced.size(); ++i) {
    store_.overwrite(change.replaced[i], change.replacement.data() + i * bytes);
    if (change.norms) inverse_norms_.mutable_data()[change.replaced[i]] = change.replacement_norms[i];
  }
}

std::size_t Flat::remove(const IdsView& ids) {
  const std::scoped_lock writing(seat_);
  const std::vector<Row> rows = ids_.find(ids);
  require_known(ids, rows);
  const std::size_t before = ids_.live_count();
  {
    const std::unique_lock exclusive(lock_);
    ids_.remove(rows);
  }
  if (static_cast<double>(ids_.removed_count()) > most_removed * static_cast<double>(ids_.rows())) {
    try {
      compact();
    } catch (const std::bad_alloc&) {  // what was removed is removed; the memory comes back another time
    }
  }
  return before - ids_.live_count();
}

void Flat::compact() {
  const std::vector<Row> rows = ids_.live_rows();
  VectorStore store = store_.picked(rows);
  IdMap ids = ids_.picked(rows);
  Array<float> norms;
  norms.resize_for_overwrite(metric_ == Metric::cosine ? rows.size() : 0);
  for (std::size_t i = 0; i < norms.size(); ++i) norms.mutable_data()[i] = inverse_norms_[rows[i]];
  const std::unique_lock exclusive(lock_);
  sketch_.forget();
  std::swap(store_, store);
  std::swap(ids_, ids);
  inverse_norms_.swap(norms);
}

void Flat::optimize() {
  const std::scoped_lock writing(seat_);
  compact();
  sketch_.make(target(std::nullopt), 0);  // beside the readers: the rows change only from this seat
}

OwnedVectors Flat::get(const IdsView& ids) const {
  const std::shared_lock reading(lock_);
  const std::vector<Row> rows = ids_.find(ids);
  require_known(ids, rows);
  const std::size_t bytes = row_bytes(store_.element(), dim_);
  OwnedVectors vectors{store_.element(), rows.size(), dim_, {}};
  vectors.bytes.resize_for_overwrite(rows.size() * bytes);
  std::byte* out = vectors.bytes.mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(store_.row(rows[i]), bytes, out + i * bytes);
  return vectors;
}

bool Flat::contains(const IdsView& id) const {
  const std::shared_lock reading(lock_);
  return (id.strings ? ids_.find((*id.strings)[0]) : ids_.find(id.integers[0])) != no_row;
}

ExactTarget Flat::target(const std::optional<RowFilter>& admitted) const {
  const RowFilter* filter = admitted ? &*admitted : ids_.live();
  return {store_.view(), metric_, metric_ == Metric::cosine ? inverse_norms_.data() : nullptr,
          largest_norm_, filter,  nullptr};
}

void Flat::search(const VectorsView& queries, std::size_t k, const Where& where, unsigned threads,
                  Answer& answer) const {
  if (k == 0) throw InvalidArgument("k is 0; it must be at least 1");
  require_finite(queries, threads);
  const std::shared_lock reading(lock_);
  if (queries.count > 0) require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, ids_);
  const std::size_t reachable = std::min(k, admitted ? admitted->count() : ids_.live_count());
  std::vector<Neighbor> neighbors(queries.count * reachable);
  if (!neighbors.empty()) {
    ExactTarget searched = target(admitted);
    const std::shared_ptr<const Sketch> sketch = sketch_.find(searched, queries.count, threads);
    searched.sketch = sketch.get();
    exact_search(searched, queries, reachable, threads, neighbors);
  }
  write_answer(neighbors, reachable, k, ids_, answer);
}

RangeAnswer Flat::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_finite_radius(radius);
  require_finite(queries, threads);
  const std::shared_lock reading(lock_);
  if (queries.count > 0) require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, ids_);
  std::vector<std::vector<Neighbor>> neighbors(queries.count);
  if (queries.count > 0 && ids_.live_count() > 0) {
    neighbors = exact_range(target(admitted), queries, radius, threads);
  }
  return range_answer(neighbors, ids_);
}

void Flat::save(function_ref<void(const FileWriter&)> write) const {
  const std::scoped_lock writing(seat_);
  FileWriter file(kind);
  file.value<std::uint8_t>("metric", static_cast<std::uint8_t>(metric_));
  file.value<std::uint64_t>("dim", dim_);
  store_.save(file);
  file.array<float>("inverse_norms", inverse_norms_.span());
  file.value<double>("largest_norm", largest_norm_);
  ids_.save(file);
  write(file);
}

std::unique_ptr<Flat> Flat::load(const FileReader& file) {
  const std::uint8_t metric = file.value<std::uint8_t>("metric");
  if (metric > static_cast<int>(Metric::hamming)) throw CorruptFile("unknown metric " + std::to_string(metric));
  const std::uint64_t dim = file.value<std::uint64_t>("dim");
  VectorStore store = VectorStore::load(file);
  std::unique_ptr<Flat> index;
  try {
    index = std::make_unique<Flat>(dim, static_cast<Metric>(metric), store.codes());
  } catch (const InvalidArgument& error) {
    throw CorruptFile(std::string("metric, dim and codes do not go together: ") + error.what());
  }
  const bool bits = store.element() == Element::bits;
  if (store.rows() > 0 && (store.dim() != dim || bits != (index->metric_ == Metric::hamming))) {
    throw CorruptFile("the vectors are not of the index's dim or metric");
  }
  index->ids_ = IdMap::load(file, store.rows());
  index->inverse_norms_ = file.array<float>("inverse_norms");
  if (index->inverse_norms_.size() != (index->metric_ == Metric::cosine ? store.rows() : 0)) {
    throw CorruptFile("section 'inverse_norms' is not one value a vector");
  }
  index->largest_norm_ = file.value<double>("largest_norm");
  if (!(index->largest_norm_ >= 0)) throw CorruptFile("the largest norm is not a length");
  index->store_ = std::move(store);
  return index;
}

}  // namespace lookalike
