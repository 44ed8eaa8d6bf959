// The next state of rows (vectors added or replaced), prepared while readers use the present state.
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

/// Throws what `Change::addition` would throw for these vectors and ids, and changes nothing. nullopt: automatic ids.
void require_addable(const Rows& rows, const VectorsView& vectors, const std::optional<IdsView>& ids, unsigned threads);

/// Holds at least one vector. Pass it to `Rows::commit` once, before the rows change in any other way. Nothing changes
/// before the commit. The functions that create a Change throw InvalidArgument for values that are not finite or that
/// the element cannot hold, for ids that repeat or are already stored, and for too many rows; DimensionMismatch.
class Change {
 public:
  /// Adds vectors with automatic ids, which continue above the largest id ever used.
  static Change addition(Rows& rows, const VectorsView& vectors, unsigned threads);
  /// Adds vectors with new ids.
  static Change addition(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// Replaces the vectors of stored ids in place and adds the others.
  static Change upsertion(Rows& rows, const VectorsView& vectors, const IdsView& ids, unsigned threads);

  /// The first added row, which is the previous number of rows.
  Row first() const noexcept { return first_; }
  /// The added vectors, in the element they will be stored in.
  VectorsView added() noexcept { return store_.view(); }
  /// Their inverse norms, for Metric::cosine; else null.
  const float* added_inverse_norms() noexcept { return norms_ ? norms_->data() + old_norm_count_ : nullptr; }

  /// The rows whose vectors are replaced, each once, in the order of the vectors passed.
  std::span<const Row> replaced() const noexcept { return replaced_; }
  /// One vector for each of them, in the element they will be stored in.
  VectorsView replacements() noexcept;
  /// Their inverse norms, for Metric::cosine; else empty.
  std::span<const float> replacement_inverse_norms() const noexcept { return replacement_norms_; }

  /// For Metric::ip: an upper bound of the norm of every added vector and replacement.
  double largest_norm() const noexcept { return largest_norm_; }

  /// Whether the commit converts the present rows to another element. Their values stay the same.
  bool changes_element() const noexcept { return changes_element_; }
  Element element() const noexcept { return store_.element(); }

 private:
  friend class Rows;
  Change(Rows& rows, const VectorsView& vectors, const IdsView& new_ids, unsigned threads);
  /// `target_rows`: the row of each vector, no_row for an added one.
  Change(Rows& rows, const VectorsView& vectors, const IdsView& ids, const std::vector<Row>& target_rows,
         unsigned threads);
  /// Computes the norms that the metric needs.
  void compute_norms(Rows& rows, unsigned threads);

  Row first_;
  VectorStore::Growth store_;
  IdMap::Growth ids_;
  std::optional<Extension<float>> norms_;
  std::size_t old_norm_count_ = 0;
  std::vector<Row> replaced_;
  Array<std::byte> replacements_;
  std::vector<float> replacement_norms_;
  double largest_norm_ = 0;  // of added vectors and replacements, for Metric::ip
  bool changes_element_;
};

}  // namespace lookalike
