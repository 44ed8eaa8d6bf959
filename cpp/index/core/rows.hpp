// The data that every index holds: vectors, their norms if the metric needs them, and ids.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "exact/exact_search.hpp"
#include "rows/id_map.hpp"
#include "rows/vector_store.hpp"
#include "storage/file.hpp"
#include "topk/row_filter.hpp"

namespace lookalike {

class Change;

/// Removed rows stay in place as tombstones until compaction, which takes the `subset` of live rows. Rows has no locks
/// (see Records). Const members are safe to call concurrently.
class Rows {
 public:
  /// dim = 0: taken from the first vectors. Throws InvalidArgument if the arguments contradict each other.
  Rows(std::size_t dim, Metric metric, Storage storage);
  /// Existing rows, with norms as inverse_norms() and largest_norm() describe them.
  Rows(Metric metric, VectorStore store, Array<float> inverse_norms, double largest_norm, IdMap ids);

  Metric metric() const noexcept { return metric_; }
  /// The requested storage.
  Storage storage() const noexcept { return storage_; }
  /// 0 until it is known.
  std::size_t dim() const noexcept { return dim_; }
  /// Live rows and tombstones.
  std::size_t count() const noexcept { return store_.rows(); }
  std::size_t live_count() const noexcept { return ids_.live_count(); }
  double removed_share() const noexcept;
  /// Compaction is due when removed_share exceeds this.
  static constexpr double max_removed_share = 0.25;
  const VectorStore& store() const noexcept { return store_; }
  const IdMap& ids() const noexcept { return ids_; }
  /// For Metric::cosine: one per row of the store's view, 0 for a zero vector. Else null.
  const float* inverse_norms() const noexcept { return metric_ == Metric::cosine ? inverse_norms_.data() : nullptr; }
  /// For Metric::ip: an upper bound of the norm of every row. Else 0.
  double largest_norm() const noexcept { return largest_norm_; }
  std::size_t bytes() const noexcept;

  /// Throws InvalidArgument or DimensionMismatch, naming `argument`, if the vectors do not fit the rows.
  void require_shape(const VectorsView& vectors, const char* argument) const;
  /// The live rows of `ids`. Throws UnknownId, and InvalidArgument for ids of the wrong kind.
  std::vector<Row> find_or_throw(const IdsView& ids) const;
  /// The target of an exact search over the admitted rows; nullopt admits all live rows. `admitted` must outlive it.
  ExactTarget target(const std::optional<RowFilter>& admitted) const;

  /// Throws InvalidArgument if vectors are not kept. `what` names the operation that needs them.
  void require_vectors(const char* what) const;

  /// Applies a prepared change. Throws std::bad_alloc and changes nothing.
  void commit(Change& change);
  /// Marks live rows as removed; returns how many. Throws std::bad_alloc and changes nothing.
  std::size_t remove(std::span<const Row> rows);
  /// Discards the vectors of all present rows if the storage is `none`.
  void drop_vectors() noexcept;
  /// Removes all rows from `first` on, including tombstones. They must come from commits, not from `load`. The next id,
  /// the dim and the element stay.
  void rollback(Row first) noexcept;

  /// Whether no vector was ever added.
  bool is_new() const noexcept { return ids_.kind() == IdKind::none; }
  /// Returns to the initial state, without dim, element or kind of ids. Call only when there are no rows.
  void reset() noexcept;

  /// A copy of the given live rows, in that order.
  Rows subset(std::span<const Row> rows) const;
  /// Swaps contents with a subset of these rows.
  void swap(Rows& next) noexcept;

  /// Writes the file sections that all indexes share.
  void save(FileWriter& file) const;
  /// Throws CorruptFile if they contradict each other.
  static Rows load(const FileReader& file);

 private:
  friend class Change;

  const Metric metric_;
  const Storage storage_;
  const std::size_t requested_dim_;
  std::size_t dim_;
  VectorStore store_;
  Array<float> inverse_norms_;
  double largest_norm_ = 0;
  IdMap ids_;
};

/// Argument checks that need no index. Throw InvalidArgument for queries that are not finite, k = 0, or a NaN radius.
void require_finite(const VectorsView& queries, unsigned threads);
void require_search(const VectorsView& queries, std::size_t k, unsigned threads);
void require_radius(float radius);

}  // namespace lookalike
