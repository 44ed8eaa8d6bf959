// The rows of an index under its locks: what all indexes answer alike, and how each of them reads and changes its rows.
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

/// Readers share, a writer prepares beside them and changes the rows in one step. Whatever else an index holds (a
/// graph, lists) lives under the same locks: it is read while a Reading lives, prepared while a Writing does, and
/// changed inside `Writing::exclusively`, so that readers see it agree with the rows.
class Records {
 public:
  /// Throws as Rows do.
  Records(std::size_t dim, Metric metric, Storage storage) : rows_(dim, metric, storage) {}
  explicit Records(Rows rows) : rows_(std::move(rows)) {}

  // What all indexes answer alike. Each takes the lock for a moment, so never call one while a Reading lives.

  Metric metric() const noexcept { return rows_.metric(); }
  /// What was asked for.
  Storage storage() const noexcept { return rows_.storage(); }
  /// 0 while that is open.
  std::size_t dim() const { return read()->dim(); }
  std::size_t size() const { return read()->live_count(); }
  /// Whether no vector was ever put in.
  bool is_new() const { return read()->is_new(); }
  IdKind id_kind() const { return read()->ids().kind(); }
  /// What vectors are stored as; nullopt while that is open.
  std::optional<Element> element() const;
  /// Vectors, norms and ids, removed ones included.
  std::size_t bytes() const { return read()->bytes(); }
  /// Of all rows held, the share that is removed but still takes room.
  double removed_share() const { return read()->removed_share(); }
  OwnedIds ids() const;
  /// The id a vector added without one would get.
  std::int64_t next_id() const { return read()->ids().next(); }
  /// Throws UnknownId.
  OwnedVectors get(const IdsView& ids) const;
  bool contains(const IdsView& id) const;

  /// See rows_change.hpp. Writers wait meanwhile, readers do not.
  void require_addable(const VectorsView& vectors, const std::optional<IdsView>& ids, unsigned threads) const {
    lookalike::require_addable(*freeze(), vectors, ids, threads);
  }

  // How an index reads and changes its rows.

  /// The rows, and a lock that keeps them as they are.
  template <class Lock>
  class Held {
   public:
    const Rows* operator->() const noexcept { return &rows_; }
    const Rows& operator*() const noexcept { return rows_; }

   private:
    friend class Records;
    template <class Mutex>
    Held(Mutex& mutex, const Rows& rows) : lock_(mutex), rows_(rows) {}
    Lock lock_;
    const Rows& rows_;
  };
  /// While it lives, nothing changes.
  using Reading = Held<std::shared_lock<IndexLock>>;
  /// While it lives, writers wait and readers do not: for what takes long, such as saving.
  using Frozen = Held<std::unique_lock<WriterMutex>>;

  /// The same, for the one writer there is.
  class Writing : public Frozen {
   public:
    /// Prepared beside the readers; see Change for what they throw.
    Change addition(const VectorsView& vectors, unsigned threads);
    Change addition(const VectorsView& vectors, const IdsView& ids, unsigned threads);
    Change upsertion(const VectorsView& vectors, const IdsView& ids, unsigned threads);

    /// Calls `step(rows)`, Rows&, while nobody reads: they wait, so it should only put in place what is prepared.
    template <class Step>
    decltype(auto) exclusively(Step&& step) {
      const std::unique_lock alone(records_.lock_);
      return step(records_.rows_);
    }

   private:
    friend class Records;
    explicit Writing(Records& records) : Frozen(records.seat_, records.rows_), records_(records) {}
    Records& records_;
  };

  Reading read() const { return {lock_, rows_}; }
  /// Throws Unsupported on a thread that is in the middle of changing these rows.
  Frozen freeze() const { return {seat_, rows_}; }
  Writing write() { return Writing(*this); }

 private:
  Rows rows_;
  mutable IndexLock lock_;
  mutable WriterMutex seat_;
};

}  // namespace lookalike
