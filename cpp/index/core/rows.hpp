// What every index holds, whatever way it searches: vectors, what the metric needs of them, and their ids.
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

/// Rows stay where they are; a removed one is skipped until the live ones are `picked`. Knows no locks: Records says
/// who may call what when. Const members may be called from several threads at once.
class Rows {
 public:
  /// dim 0: taken from the first vectors. Throws InvalidArgument where the arguments do not go together.
  Rows(std::size_t dim, Metric metric, Storage storage);
  /// Rows that are there already: as many norms as `inverse_norms` says, and the largest as `largest_norm` does.
  Rows(Metric metric, VectorStore store, Array<float> inverse_norms, double largest_norm, IdMap ids);

  Metric metric() const noexcept { return metric_; }
  /// What was asked for.
  Storage storage() const noexcept { return storage_; }
  /// 0 while that is open.
  std::size_t dim() const noexcept { return dim_; }
  /// Live and removed.
  std::size_t count() const noexcept { return store_.rows(); }
  std::size_t live_count() const noexcept { return ids_.live_count(); }
  double removed_share() const noexcept;
  /// A larger removed_share is worth moving all others for.
  static constexpr double most_removed = 0.25;
  const VectorStore& store() const noexcept { return store_; }
  const IdMap& ids() const noexcept { return ids_; }
  /// For Metric::cosine one a row of the store's view, 0 for a zero vector; else null.
  const float* inverse_norms() const noexcept { return metric_ == Metric::cosine ? inverse_norms_.data() : nullptr; }
  /// For Metric::ip at least the length of every row; else 0.
  double largest_norm() const noexcept { return largest_norm_; }
  std::size_t bytes() const noexcept;

  /// Throws InvalidArgument or DimensionMismatch, naming `argument`, where the vectors cannot stand beside the rows.
  void require_shape(const VectorsView& vectors, const char* argument) const;
  /// The live rows of ids. Throws UnknownId, and InvalidArgument for ids of the other kind.
  std::vector<Row> known(const IdsView& ids) const;
  /// For an exact search among the admitted rows (all live ones for nullopt), which must outlive the target.
  ExactTarget target(const std::optional<RowFilter>& admitted) const;

  /// Throws InvalidArgument where vectors are not kept, saying that `what` needs them.
  void require_vectors(const char* what) const;

  /// Puts a prepared change in place. Throws std::bad_alloc and changes nothing.
  void commit(Change& change);
  /// Live rows become removed ones; returns how many. Throws std::bad_alloc and changes nothing.
  std::size_t remove(std::span<const Row> rows);
  /// Forgets the vectors of all rows there are, where that was asked for.
  void forget_vectors() noexcept;
  /// Takes away the rows from `first` on, live and removed, which commits put in (not `load`). The next id, the dim and
  /// the element stay as they are.
  void rollback(Row first) noexcept;

  /// Whether no vector was ever put in.
  bool is_new() const noexcept { return ids_.kind() == IdKind::none; }
  /// As it was made: forgets the dim, element and kind of ids that rows had; only where there are none.
  void reset() noexcept;

  /// The given live rows only, in that order.
  Rows picked(std::span<const Row> rows) const;
  /// Exchanges what both hold; `next` was picked from these rows.
  void swap(Rows& next) noexcept;

  /// The sections that all indexes share.
  void save(FileWriter& file) const;
  /// Throws CorruptFile where they do not agree.
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

/// What a search refuses before it looks at an index: queries that are not finite, k = 0, a radius of NaN. Throws
/// InvalidArgument.
void require_finite(const VectorsView& queries, unsigned threads);
void require_search(const VectorsView& queries, std::size_t k, unsigned threads);
void require_radius(float radius);

}  // namespace lookalike
