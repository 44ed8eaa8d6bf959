// The rows of an index and their locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/types.hpp"
#include "base/vectors_view.hpp"
#include "index/core/answer.hpp"
#include "index/core/index_lock.hpp"
#include "index/core/rows.hpp"
#include "index/core/rows_change.hpp"
#include "rows/id_map.hpp"
#include "rows/vector_store.hpp"

namespace lookalike {

/// Readers run concurrently. A writer prepares its change while they read, then applies it in one step. The same locks
/// guard the other parts of an index, such as a graph or lists: read them under a ReadLock, prepare changes under a
/// Writer, and apply them inside `Writer::exclusively`. Readers then always see them consistent with the rows.
class Records {
 public:
  /// Throws what the constructor of Rows throws.
  Records(std::size_t dim, Metric metric, Storage storage) : rows_(dim, metric, storage) {}
  explicit Records(Rows rows) : rows_(std::move(rows)) {}

  // Properties that all indexes share. Each takes the read lock, so never call one while holding a ReadLock.

  Metric metric() const noexcept { return rows_.metric(); }
  /// The requested storage.
  Storage storage() const noexcept { return rows_.storage(); }
  /// 0 until it is known.
  std::size_t dim() const { return read()->dim(); }
  std::size_t size() const { return read()->live_count(); }
  /// Whether no vector was ever added.
  bool is_new() const { return read()->is_new(); }
  IdKind id_kind() const { return read()->ids().kind(); }
  /// The element of the stored vectors; nullopt while there are none.
  std::optional<Element> element() const;
  /// Bytes of vectors, norms and ids, including tombstones.
  std::size_t bytes() const { return read()->bytes(); }
  /// The share of tombstones among all rows.
  double removed_share() const { return read()->removed_share(); }
  OwnedIds ids() const;
  /// The next automatic id.
  std::int64_t next_id() const { return read()->ids().next_id(); }
  /// Throws UnknownId.
  OwnedVectors get(const IdsView& ids) const;
  bool contains(const IdsView& id) const;

  /// See rows_change.hpp. Writers wait meanwhile; readers do not.
  void require_addable(const VectorsView& vectors, const std::optional<IdsView>& ids, unsigned threads) const {
    lookalike::require_addable(*freeze(), vectors, ids, threads);
  }

  // Locked access for indexes.

  /// The rows with a lock that protects them.
  template <class Lock>
  class LockedRows {
   public:
    const Rows* operator->() const noexcept { return &rows_; }
    const Rows& operator*() const noexcept { return rows_; }

   private:
    friend class Records;
    template <class Mutex>
    LockedRows(Mutex& mutex, const Rows& rows) : lock_(mutex), rows_(rows) {}
    Lock lock_;
    const Rows& rows_;
  };
  /// Shared with other readers. The rows do not change while it lives.
  using ReadLock = LockedRows<std::shared_lock<IndexLock>>;
  /// Excludes writers but not readers. For long operations that read, such as saving.
  using WriterLock = LockedRows<std::unique_lock<WriterMutex>>;

  /// The only writer. Readers continue, except during `exclusively`.
  class Writer : public WriterLock {
   public:
    /// Prepare a change while readers continue. They throw what Change throws.
    Change addition(const VectorsView& vectors, unsigned threads);
    Change addition(const VectorsView& vectors, const IdsView& ids, unsigned threads);
    Change upsertion(const VectorsView& vectors, const IdsView& ids, unsigned threads);

    /// Calls step(Rows&) while readers wait. It should only apply what is already prepared.
    template <class Step>
    decltype(auto) exclusively(Step&& step) {
      const std::unique_lock lock(records_.lock_);
      return step(records_.rows_);
    }

   private:
    friend class Records;
    explicit Writer(Records& records) : WriterLock(records.writer_mutex_, records.rows_), records_(records) {}
    Records& records_;
  };

  ReadLock read() const { return {lock_, rows_}; }
  /// Throws Unsupported on a thread that is already a writer of these rows.
  WriterLock freeze() const { return {writer_mutex_, rows_}; }
  Writer write() { return Writer(*this); }

 private:
  Rows rows_;
  mutable IndexLock lock_;
  mutable WriterMutex writer_mutex_;
};

}  // namespace lookalike
