// New vectors, and others in place of old ones: the next state of rows, prepared while others read the present one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/vectors_view.hpp"
#include "index/core/rows.hpp"
#include "rows/extension.hpp"
#include "rows/id_map.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

/// Throws what `Change::addition` would, for values and for ids, and changes nothing. No ids: automatic ones.
void require_addable(const Rows& rows, const VectorsView& vectors, const std::optional<IdsView>& ids, unsigned threads);

/// Made of at least one vector, and good for one `Rows::commit`, before any other change of the rows. Throws
/// InvalidArgument for values the codes cannot take or that are not finite, for ids that repeat or are stored already,
/// and for too many rows; DimensionMismatch. Until the commit, and when it throws, nothing is changed.
class Change {
 public:
  /// New vectors, under ids that count on from the largest there ever was.
  static Change addition(Rows& rows, const VectorsView& vectors, unsigned threads);
  /// New vectors under new ids.
  static Change addition(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// Vectors of stored ids replace those where they stand, others are added.
  static Change upsertion(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads);

  /// Where the new rows begin: what the rows counted before.
  Row first() const noexcept { return first_; }
  /// The new rows, in the element they will have.
  VectorsView fresh() noexcept { return store_.view(); }
  /// Their inverse norms, for Metric::cosine; else null.
  const float* fresh_inverse_norms() noexcept { return norms_ ? norms_->data() + norms_before_ : nullptr; }

  /// Old rows that get new vectors, each once, in the order they were given.
  std::span<const Row> replaced() const noexcept { return replaced_; }
  /// One vector for each of them, in the element they will have.
  VectorsView replacements() noexcept;
  /// Their inverse norms, for Metric::cosine; else empty.
  std::span<const float> replacement_inverse_norms() const noexcept { return replacement_norms_; }

  /// At least the length of every vector that comes, for Metric::ip.
  double largest_norm() const noexcept { return largest_norm_; }

  /// Whether the rows there are will be stored as another element, with the same values.
  bool promotes() const noexcept { return promotes_; }
  Element element() const noexcept { return store_.element(); }

 private:
  friend class Rows;
  Change(Rows& rows, const VectorsView& vectors, const IdsView& new_ids, unsigned threads);
  /// `places`: the row of each vector, no_row for a new one.
  Change(Rows& rows, const VectorsView& vectors, const IdsView& ids, const std::vector<Row>& places, unsigned threads);
  /// Everything the metric needs to know of the vectors that come.
  void measure(Rows& rows, unsigned threads);

  Row first_;
  VectorStore::Growth store_;
  IdMap::Growth ids_;
  std::optional<Extension<float>> norms_;
  std::size_t norms_before_ = 0;  // that there are already
  std::vector<Row> replaced_;
  Array<std::byte> replacements_;
  std::vector<float> replacement_norms_;
  double largest_norm_ = 0;  // of the vectors that come, for Metric::ip
  bool promotes_;
};

}  // namespace lookalike
