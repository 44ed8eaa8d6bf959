#include "index/core/rows.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "index/core/rows_change.hpp"

namespace lookalike {

Rows::Rows(std::size_t dim, Metric metric, Storage storage)
    : metric_(metric), storage_(storage), requested_dim_(dim), dim_(dim), store_(storage) {
  if (dim > max_dim) {
    throw InvalidArgument("dim is " + std::to_string(dim) + "; it must be at most " + std::to_string(max_dim));
  }
  const bool bits = storage == Storage::bits;
  if (metric == Metric::hamming ? !(bits || storage == Storage::automatic) : bits) {
    throw InvalidArgument(
        "metric='hamming' needs codes='bits' or codes='auto', and codes='bits' needs metric='hamming'");
  }
}

Rows::Rows(Metric metric, VectorStore store, Array<float> inverse_norms, double largest_norm, IdMap ids)
    : metric_(metric),
      storage_(store.storage()),
      requested_dim_(0),
      dim_(store.dim()),
      store_(std::move(store)),
      inverse_norms_(std::move(inverse_norms)),
      largest_norm_(largest_norm),
      ids_(std::move(ids)) {}

double Rows::removed_share() const noexcept {
  return count() ? static_cast<double>(ids_.removed_count()) / static_cast<double>(count()) : 0;
}

std::size_t Rows::bytes() const noexcept {
  return store_.bytes() + inverse_norms_.size() * sizeof(float) + ids_.bytes();
}

void Rows::require_shape(const VectorsView& vectors, const char* argument) const {
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

std::vector<Row> Rows::find_or_throw(const IdsView& ids) const {
  std::vector<Row> rows = ids_.find(ids);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == no_row) throw UnknownId("id " + ids.describe(i) + " is not in the index");
  }
  return rows;
}

void Rows::require_vectors(const char* what) const {
  if (storage_ != Storage::none) return;
  throw InvalidArgument(std::string(what) +
                        " needs the vectors, which keep='none' does not keep; keep='auto' keeps them, keep='f16' in "
                        "half the memory");
}

ExactTarget Rows::target(const std::optional<RowFilter>& admitted) const {
  const RowFilter* filter = admitted ? &*admitted : ids_.live();
  return {store_.view(), metric_, inverse_norms(), largest_norm_, filter, nullptr};
}

void Rows::commit(Change& change) {
  ids_.commit(change.ids_);  // first, because only this step can fail
  store_.commit(change.store_);
  dim_ = store_.dim();
  largest_norm_ = std::max(largest_norm_, change.largest_norm_);
  if (change.norms_) change.norms_->commit();
  const std::size_t bytes = row_bytes(store_.element(), dim_);
  for (std::size_t i = 0; i < change.replaced_.size(); ++i) {
    store_.overwrite(change.replaced_[i], change.replacements_.data() + i * bytes);
    if (change.replaced_[i] < store_.dropped_rows()) continue;
    const std::size_t position = change.replaced_[i] - store_.dropped_rows();
    if (change.norms_) inverse_norms_.mutable_data()[position] = change.replacement_norms_[i];
  }
}

std::size_t Rows::remove(std::span<const Row> rows) {
  const std::size_t before = live_count();
  ids_.remove(rows);
  return before - live_count();
}

void Rows::drop_vectors() noexcept {
  if (storage_ != Storage::none) return;
  store_.drop_vectors();
  inverse_norms_ = {};
}

void Rows::rollback(Row first) noexcept {
  if (first == count()) return;
  store_.truncate(first);
  ids_.truncate(first);
  if (metric_ == Metric::cosine) inverse_norms_.resize_for_overwrite(first - store_.dropped_rows());
}

void Rows::reset() noexcept {
  dim_ = requested_dim_;
  store_ = VectorStore(storage_);
  inverse_norms_ = {};
  largest_norm_ = 0;
  ids_.reset();
}

Rows Rows::subset(std::span<const Row> rows) const {
  Rows subset(dim_, metric_, storage_);
  subset.store_ = store_.subset(rows);
  subset.ids_ = ids_.subset(rows);
  subset.largest_norm_ = largest_norm_;
  if (metric_ != Metric::cosine || store_.dropped_rows() > 0) return subset;
  subset.inverse_norms_.resize_for_overwrite(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) subset.inverse_norms_.mutable_data()[i] = inverse_norms_[rows[i]];
  return subset;
}

void Rows::swap(Rows& next) noexcept {
  std::swap(dim_, next.dim_);
  std::swap(store_, next.store_);
  inverse_norms_.swap(next.inverse_norms_);
  std::swap(largest_norm_, next.largest_norm_);
  std::swap(ids_, next.ids_);
}

void Rows::save(FileWriter& file) const {
  file.value<std::uint8_t>("metric", static_cast<std::uint8_t>(metric_));
  file.value<std::uint64_t>("dim", dim_);
  store_.save(file);
  file.array<float>("inverse_norms", inverse_norms_.span());
  file.value<double>("largest_norm", largest_norm_);
  ids_.save(file);
}

Rows Rows::load(const FileReader& file) {
  const std::uint8_t metric = file.value<std::uint8_t>("metric");
  if (metric > static_cast<int>(Metric::hamming)) throw CorruptFile("unknown metric " + std::to_string(metric));
  const std::uint64_t dim = file.value<std::uint64_t>("dim");
  VectorStore store = VectorStore::load(file);
  std::optional<Rows> loaded;
  try {
    loaded.emplace(dim, static_cast<Metric>(metric), store.storage());
  } catch (const InvalidArgument& error) {
    throw CorruptFile(std::string("metric, dim and codes contradict each other: ") + error.what());
  }
  Rows& rows = *loaded;
  const bool bits = store.element() == Element::bits;
  if (store.rows() > 0 && (store.dim() != dim || bits != (rows.metric_ == Metric::hamming))) {
    throw CorruptFile("the vectors have another dim or metric than the index");
  }
  rows.ids_ = IdMap::load(file, store.rows());
  rows.inverse_norms_ = file.array<float>("inverse_norms");
  if (rows.inverse_norms_.size() != (rows.metric_ == Metric::cosine ? store.view().count : 0)) {
    throw CorruptFile("section 'inverse_norms' does not hold one value per vector");
  }
  rows.largest_norm_ = file.value<double>("largest_norm");
  if (!(rows.largest_norm_ >= 0)) throw CorruptFile("the largest norm is negative or nan");
  rows.store_ = std::move(store);
  return std::move(rows);
}

void require_finite(const VectorsView& queries, unsigned threads) {
  require_finite(queries, "queries", queries.count == 1 ? 1 : threads);
}

void require_radius(float radius) {
  if (std::isnan(radius)) throw InvalidArgument("radius is nan; it must be a number");
}

void require_search(const VectorsView& queries, std::size_t k, unsigned threads) {
  if (k == 0) throw InvalidArgument("k is 0; it must be at least 1");
  require_finite(queries, threads);
}

}  // namespace lookalike
