// Exact search by brute force.
#pragma once

#include <cstddef>
#include <memory>

#include "base/function_ref.hpp"
#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "exact/bounds_cache.hpp"
#include "index/core/answer.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Vectors with ids, searched exactly. Thread-safe: readers run concurrently; a writer prepares its change while they
/// read, then applies it in one step. A member that throws has changed nothing.
class Flat {
 public:
  static constexpr const char* kind = "flat";

  /// dim = 0: taken from the first vectors. Throws InvalidArgument if the arguments contradict each other.
  Flat(std::size_t dim, Metric metric, Storage storage) : records_(dim, metric, storage) {}

  const Records& records() const noexcept { return records_; }
  /// Bytes of vectors, norms and ids, including tombstones, and of the lower-bound codes.
  std::size_t bytes() const { return records_.bytes() + bounds_.bytes(); }

  /// Throws InvalidArgument for ids that repeat or are already stored, and for values that are not finite or that the
  /// element cannot hold; DimensionMismatch.
  void add(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// The same with automatic ids, which continue above the largest.
  void add(const VectorsView& vectors, unsigned threads);
  /// Replaces the vectors of stored ids in place and adds the others.
  void upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads);
  /// Returns how many were removed. Throws UnknownId.
  std::size_t remove(const IdsView& ids);
  /// Returns an index without live rows to its initial state. Does nothing if it holds live rows.
  void reset();

  /// Finds the k nearest of each query. Throws InvalidArgument, DimensionMismatch. Without a filter, long batches here
  /// and in `range` release the lock between chunks, so that a writer can run.
  void search(const VectorsView& queries, std::size_t k, const Where& where, unsigned threads, Answer& answer) const;
  /// All rows within `radius` of each query.
  RangeAnswer range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const;

  /// Compacts: frees the memory of removed vectors and unused capacity. Builds the lower-bound codes.
  void optimize();

  /// Calls `write` with the index as a file. Writers wait meanwhile; readers do not.
  void save(function_ref<void(const FileWriter&)> write) const;
  /// Throws CorruptFile.
  static std::unique_ptr<Flat> load(const FileReader& file);

 private:
  explicit Flat(Rows rows) : records_(std::move(rows)) {}
  void commit(Records::Writer& writer, Change change);
  void compact(Records::Writer& writer);

  Records records_;
  mutable BoundsCache bounds_;
};

}  // namespace lookalike
