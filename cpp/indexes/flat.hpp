// Exact search: every vector is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/array.hpp"
#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "codes/id_map.hpp"
#include "codes/vector_store.hpp"
#include "indexes/answer.hpp"
#include "indexes/exact_search.hpp"
#include "indexes/index_lock.hpp"
#include "indexes/kept_sketch.hpp"
#include "indexes/where.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Vectors under ids, searched exactly. Every member may be called from several threads at once: readers share, a
/// writer prepares beside them and changes the index in one step. A member that throws has changed nothing.
class Flat {
 public:
  static constexpr const char* kind = "flat";

  /// dim 0: taken from the first vectors. Throws InvalidArgument where the arguments do not go together.
  Flat(std::size_t dim, Metric metric, Codes codes);

  Metric metric() const noexcept { return metric_; }
  std::size_t dim() const;
  std::size_t size() const;
  IdKind id_kind() const;
  /// What vectors are stored as; nullopt while that is open.
  std::optional<Element> element() const;
  /// What was asked for.
  Codes codes() const noexcept { return codes_; }
  /// Vectors, norms and ids, removed ones included.
  std::size_t bytes() const;
  /// Of all rows held, the share that is removed but not yet compacted away.
  double removed_share() const;
  OwnedIds ids() const;
  /// The id a vector added without one would get.
  std::int64_t next_id() const;

  /// Throws InvalidArgument for ids that repeat or are stored already, values the codes cannot take or that are not
  /// finite; DimensionMismatch.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// The same with ids that continue above the largest.
  void add(const VectorsView& vectors, unsigned threads);
  /// Vectors of stored ids are replaced where they stand, others are added.
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// Returns how many were removed. Throws UnknownId.
  std::size_t remove(const IdsView& ids);
  /// Throws UnknownId.
  OwnedVectors get(const IdsView& ids) const;
  bool contains(const IdsView& id) const;

  /// The k nearest of each query. Throws InvalidArgument, DimensionMismatch.
  void search(const VectorsView& queries, std::size_t k, const Where& where, unsigned threads, Answer& answer) const;
  /// Everything within `radius` of each query.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;

  /// Gives back the memory of removed vectors and unused capacity, and prepares what makes single searches fast.
  void optimize();

  /// Hands `write` the index as a file; writers wait, readers do not.
  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Flat> load(const FileReader& file);

 private:
  struct Change;
  void require_shape(const VectorsView& vectors, const char* argument) const;
  void add_distinct(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  void commit(Change& change);
  void compact();
  ExactTarget target(const std::optional<RowFilter>& admitted) const;

  const Metric metric_;
  const Codes codes_;
  std::size_t dim_;
  VectorStore store_;
  Array<float> inverse_norms_;  // for Metric::cosine, one a row
  double largest_norm_ = 0;     // for Metric::ip, at least that of every row
  IdMap ids_;
  mutable KeptSketch sketch_;
  mutable IndexLock lock_;
  mutable WriterSeat seat_;
};

}  // namespace lookalike
