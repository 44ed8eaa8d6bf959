// Exact search: every vector is measured.
#pragma once

#include <cstddef>
#include <memory>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "exact/kept_bounds.hpp"
#include "index/core/answer.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Vectors under ids, searched exactly. Every member may be called from several threads at once: readers share, a
/// writer prepares beside them and changes the index in one step. A member that throws has changed nothing.
class Flat {
 public:
  static constexpr const char* kind = "flat";

  /// dim 0: taken from the first vectors. Throws InvalidArgument where the arguments do not go together.
  Flat(std::size_t dim, Metric metric, Storage storage) : records_(dim, metric, storage) {}

  const Records& records() const noexcept { return records_; }
  /// Vectors, norms, ids and what makes searches fast, removed ones included.
  std::size_t bytes() const { return records_.bytes() + sketch_.bytes(); }

  /// Throws InvalidArgument for ids that repeat or are stored already, values the codes cannot take or that are not
  /// finite; DimensionMismatch.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// The same with ids that continue above the largest.
  void add(const VectorsView& vectors, unsigned threads);
  /// Vectors of stored ids are replaced where they stand, others are added.
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// Returns how many were removed. Throws UnknownId.
  std::size_t remove(const IdsView& ids);
  /// Where it holds nothing: as it was made, whatever it held before.
  void reset();

  /// The k nearest of each query. Throws InvalidArgument, DimensionMismatch. A writer may come between the queries of a
  /// long batch, here and in `range`, where there is no filter.
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
  explicit Flat(Rows rows) : records_(std::move(rows)) {}
  void commit(Records::Writing& writing, Change change);
  void compact(Records::Writing& writing);

  Records records_;
  mutable KeptBounds sketch_;
};

}  // namespace lookalike
