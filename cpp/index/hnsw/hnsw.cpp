#include "index/hnsw/hnsw.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "graph/reach.hpp"
#include "kernels/precise.hpp"

namespace lookalike {
namespace {

constexpr std::size_t most_nodes = 0x7fffffff;  // a pool key has one bit less for its row

HnswSettings checked(const HnswSettings& settings) {
  if (settings.M < 2 || settings.M > 512) {
    throw InvalidArgument("M is " + std::to_string(settings.M) + "; it must be between 2 and 512");
  }
  if (settings.ef_construction < 1 || settings.ef_construction > 65536) {
    throw InvalidArgument("ef_construction is " + std::to_string(settings.ef_construction) +
                          "; it must be between 1 and 65536");
  }
  return settings;
}

}  // namespace

Hnsw::Hnsw(std::size_t dim, Metric metric, const HnswSettings& settings)
    : settings_(checked(settings)), records_(dim, metric, settings.storage(metric)), graph_(settings.degree()) {}

Hnsw::Hnsw(Rows rows, HnswGraph graph, const HnswSettings& settings)
    : settings_(checked(settings)), records_(std::move(rows)), graph_(std::move(graph)) {}

std::size_t Hnsw::bytes() const {
  const Records::Reading rows = records_.read();
  return rows->bytes() + graph_.bytes();
}

Quantization Hnsw::quantization() const {
  const Records::Reading rows = records_.read();
  if (rows->count() == 0) return settings_.codes;
  return searched_codes(graph_.codes ? std::optional(graph_.codes->encoder().width()) : std::nullopt,
                        rows->store().element());
}

void Hnsw::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing writing = records_.write();
  if (vectors.count > 0) append(writing, writing.addition(vectors, ids, threads), threads);
}

void Hnsw::add(const VectorsView& vectors, unsigned threads) {
  Records::Writing writing = records_.write();
  if (vectors.count > 0) append(writing, writing.addition(vectors, threads), threads);
}

void Hnsw::append(Records::Writing& writing, Change change, unsigned threads) {
  const Row first = change.first();
  const bool was_new = writing->is_new();
  Tuning before = tuning_;
  place(writing, change, threads);
  try {
    link_new(writing, threads);
    keep_promise(writing, writing->count() - first, threads);
  } catch (...) {
    rollback(writing, first);
    writing.exclusively([&](Rows&) noexcept { std::swap(tuning_, before); });
    if (was_new) reset(writing);
    throw;
  }
}

void Hnsw::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing writing = records_.write();
  if (vectors.count == 0) return;
  Change change = writing.upsertion(vectors, ids, threads);
  const Row first = change.first();
  const bool was_new = writing->is_new();
  std::vector<Row> moved(change.replaced().begin(), change.replaced().end());
  place(writing, change, threads);
  std::erase_if(moved, [&](Row row) { return row >= graph_.linked; });
  try {
    const std::size_t changed = moved.size() + writing->count() - first;
    relink(writing, moved, threads);
    link_new(writing, threads);
    keep_promise(writing, changed, threads);
  } catch (...) {  // what was replaced is replaced; what was to be new is not there
    rollback(writing, first);
    if (was_new) reset(writing);
    // Where many are not where the graph has them, it is of no use: the next change builds it anew.
    if (moved.size() > writing->count() / 100) writing.exclusively([&](Rows&) noexcept { graph_.linked = 0; });
    throw;
  }
}

void Hnsw::place(Records::Writing& writing, Change& change, unsigned threads) {
  if (change.first() + change.fresh().count > most_nodes) {
    throw InvalidArgument("an HNSW index holds at most " + std::to_string(most_nodes) +
                          " vectors, removed ones included");
  }
  const VectorsView fresh = change.fresh(), moved = change.replacements();
  const auto space_of = [&](const VectorsView& vectors, const float* inverse_norms) {
    return MetricSpace{vectors, writing->metric(), inverse_norms};
  };
  Extension<Row> neighbors = graph_.neighbors.grow(fresh.count);
  std::optional<Extension<std::byte>> codes;
  Array<std::byte> moved_codes;
  if (graph_.codes) {
    codes.emplace(graph_.codes->grow(space_of(fresh, change.fresh_inverse_norms()), threads));
    moved_codes = graph_.codes->encode(space_of(moved, change.replacement_inverse_norms().data()), threads);
  }
  const std::vector<Row> replaced(change.replaced().begin(), change.replaced().end());
  const bool may_be_linked = graph_.is_empty() || (is_measurable(fresh, writing->metric(), threads) &&
                                                   is_measurable(moved, writing->metric(), threads));
  are_vanishing_ = are_vanishing_ && squares_of(fresh, writing->metric()) != Squares::measurable &&
                   squares_of(moved, writing->metric()) != Squares::measurable;
  writing.exclusively([&](Rows& rows) {
    rows.commit(change);
    if (!may_be_linked) graph_.linked = 0;
    ++version_;
    neighbors.commit();
    if (codes) codes->commit();
    for (std::size_t i = 0; i < replaced.size() && graph_.codes; ++i)
      graph_.codes->overwrite(replaced[i], moved_codes.data() + i * graph_.codes->encoder().stride());
  });
}

// Nothing here asks for memory: since `place`, no part of the graph is mapped.
void Hnsw::rollback(Records::Writing& writing, Row first) noexcept {
  // Rows that were there lose their edges to those that go, one at a time, so that readers wait for little.
  const auto is_gone = [&](Row row) { return row >= first; };
  for (Row node = 0; node < first; ++node) {
    const std::span<const Row> neighbors = graph_.neighbors.neighbors(node);
    if (std::none_of(neighbors.begin(), neighbors.end(), is_gone)) continue;
    writing.exclusively([&](Rows&) { graph_.neighbors.erase_if(node, is_gone); });
  }
  has_extremes_ = false;  // unless they are found again
  writing.exclusively([&](Rows& rows) {
    graph_.linked = std::min<std::size_t>(graph_.linked, first);
    std::erase_if(graph_.entries, is_gone);
    graph_.neighbors.truncate(first);
    if (graph_.entries.empty()) {  // what comes may be of another kind
      graph_.linked = graph_.learned_over = 0;
      graph_.codes.reset();
    }
    if (graph_.codes) graph_.codes->truncate(first);
    rows.rollback(first);
    ++version_;
  });
  changed_ = first;  // edges were lost: now, or at the next change, all rows are made sure to be reached again
  try {
    if (!graph_.is_empty()) look_after_reach(writing, 0, 0);
  } catch (...) {  // whatever stopped the addition is on its way already
  }
}

std::size_t Hnsw::remove(const IdsView& ids) {
  Records::Writing writing = records_.write();
  const std::vector<Row> known = writing->known(ids);
  const std::size_t removed = writing.exclusively([&](Rows& rows) {
    ++version_;
    tuning_.promise.changed += known.size();
    return rows.remove(known);
  });
  if (writing->removed_share() > Rows::most_removed) {
    try {
      compact(writing, 0);
    } catch (const std::bad_alloc&) {  // what was removed is removed; the memory comes back another time
    }
  }
  return removed;
}

void Hnsw::reset() {
  Records::Writing writing = records_.write();
  if (writing->live_count() > 0) return;
  compact(writing, 0);
  reset(writing);
}

void Hnsw::reset(Records::Writing& writing) noexcept {
  writing.exclusively([&](Rows& rows) {
    rows.reset();
    graph_ = HnswGraph(settings_.degree());
    ++version_;
  });
  has_extremes_ = are_vanishing_ = false;
  changed_ = 0;
}

void Hnsw::optimize() {
  Records::Writing writing = records_.write();
  compact(writing, 0);
  has_extremes_ = false;  // unless they are found again
  link_new(writing, 0);
  if (!graph_.is_empty()) make_reachable(writing, 0);
  if (tuning_.promise.changed > 0) keep_promise(writing, writing->count(), 0);
}

Tuning Hnsw::tuning() const {
  const Records::Reading rows = records_.read();
  return tuning_;
}

void Hnsw::set_tuning(Tuning tuning) {
  Records::Writing writing = records_.write();
  writing.exclusively([&](Rows&) noexcept { std::swap(tuning_, tuning); });
}

std::size_t Hnsw::usual_effort(std::size_t k) const {
  const Records::Reading rows = records_.read();
  const std::size_t width = width_for(*rows, k, 0);
  return width == exact_effort ? std::max<std::size_t>(rows->live_count(), k) : width;
}

double Hnsw::aged() const {
  const Records::Reading rows = records_.read();
  if (!graph_.codes || graph_.learned_over >= rows->count()) return 0;
  return 1 - static_cast<double>(graph_.learned_over) / static_cast<double>(rows->count());
}

bool Hnsw::is_exact() const {
  const Records::Reading rows = records_.read();
  return graph_.is_empty();
}

std::size_t Hnsw::unreachable() const {
  const Records::Reading rows = records_.read();
  if (graph_.is_empty()) return 0;
  std::vector<Row> rest = unreached(graph_.neighbors, graph_.entries);
  std::erase_if(rest, [&](Row row) { return !rows->ids().is_live(row); });
  return rest.size();
}

}  // namespace lookalike
