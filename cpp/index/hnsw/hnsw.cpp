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

constexpr std::size_t max_rows_in_graph = 0x7fffffff;  // the keys of BeamSearch have 31 bits for the row

HnswSettings validated(const HnswSettings& settings) {
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
    : settings_(validated(settings)), records_(dim, metric, settings.storage(metric)), graph_(settings.degree()) {}

Hnsw::Hnsw(Rows rows, HnswGraph graph, const HnswSettings& settings)
    : settings_(validated(settings)), records_(std::move(rows)), graph_(std::move(graph)) {}

std::size_t Hnsw::bytes() const {
  const Records::ReadLock rows = records_.read();
  return rows->bytes() + graph_.bytes();
}

Quantization Hnsw::quantization() const {
  const Records::ReadLock rows = records_.read();
  if (rows->count() == 0) return settings_.codes;
  return searched_quantization(graph_.codes ? std::optional(graph_.codes->encoder().width()) : std::nullopt,
                               rows->store().element());
}

void Hnsw::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count > 0) append(writer, writer.addition(vectors, ids, threads), threads);
}

void Hnsw::add(const VectorsView& vectors, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count > 0) append(writer, writer.addition(vectors, threads), threads);
}

void Hnsw::append(Records::Writer& writer, Change change, unsigned threads) {
  const Row first = change.first();
  const bool was_new = writer->is_new();
  Tuning before = tuning_;
  store_rows(writer, change, threads);
  try {
    link_new(writer, threads);
    keep_promise(writer, writer->count() - first, threads);
  } catch (...) {
    rollback(writer, first);
    writer.exclusively([&](Rows&) noexcept { std::swap(tuning_, before); });
    if (was_new) reset(writer);
    throw;
  }
}

void Hnsw::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  if (vectors.count == 0) return;
  Change change = writer.upsertion(vectors, ids, threads);
  const Row first = change.first();
  const bool was_new = writer->is_new();
  std::vector<Row> replaced(change.replaced().begin(), change.replaced().end());
  store_rows(writer, change, threads);
  std::erase_if(replaced, [&](Row row) { return row >= graph_.linked; });
  try {
    const std::size_t changed = replaced.size() + writer->count() - first;
    relink_replaced(writer, replaced, threads);
    link_new(writer, threads);
    keep_promise(writer, changed, threads);
  } catch (...) {  // rolls back the added rows; replaced vectors stay replaced
    rollback(writer, first);
    if (was_new) reset(writer);
    // If the edges of many replaced rows are outdated, the graph is useless: the next change rebuilds it.
    if (replaced.size() > writer->count() / 100) writer.exclusively([&](Rows&) noexcept { graph_.linked = 0; });
    throw;
  }
}

void Hnsw::store_rows(Records::Writer& writer, Change& change, unsigned threads) {
  if (change.first() + change.added().count > max_rows_in_graph) {
    throw InvalidArgument("an HNSW index holds at most " + std::to_string(max_rows_in_graph) +
                          " vectors, including removed ones");
  }
  const VectorsView added = change.added(), replacements = change.replacements();
  const auto space_of = [&](const VectorsView& vectors, const float* inverse_norms) {
    return MetricSpace{vectors, writer->metric(), inverse_norms};
  };
  Extension<Row> neighbors = graph_.neighbors.grow(added.count);
  std::optional<Extension<std::byte>> codes;
  Array<std::byte> replacement_codes;
  if (graph_.codes) {
    codes.emplace(graph_.codes->grow(space_of(added, change.added_inverse_norms()), threads));
    replacement_codes =
        graph_.codes->encode(space_of(replacements, change.replacement_inverse_norms().data()), threads);
  }
  const std::vector<Row> replaced(change.replaced().begin(), change.replaced().end());
  const bool can_be_linked = graph_.is_empty() || (is_measurable(added, writer->metric(), threads) &&
                                                   is_measurable(replacements, writer->metric(), threads));
  are_underflowing_ = are_underflowing_ && norm_range_of(added, writer->metric()) != NormRange::measurable &&
                      norm_range_of(replacements, writer->metric()) != NormRange::measurable;
  writer.exclusively([&](Rows& rows) {
    rows.commit(change);
    if (!can_be_linked) graph_.linked = 0;
    ++version_;
    neighbors.commit();
    if (codes) codes->commit();
    for (std::size_t i = 0; i < replaced.size() && graph_.codes; ++i)
      graph_.codes->overwrite(replaced[i], replacement_codes.data() + i * graph_.codes->encoder().stride());
  });
}

// Allocates nothing: after store_rows no part of the graph is mapped.
void Hnsw::rollback(Records::Writer& writer, Row first) noexcept {
  // Erases the edges to added rows, one node per lock, so that readers wait only briefly.
  const auto is_added = [&](Row row) { return row >= first; };
  for (Row node = 0; node < first; ++node) {
    const std::span<const Row> neighbors = graph_.neighbors.neighbors(node);
    if (std::none_of(neighbors.begin(), neighbors.end(), is_added)) continue;
    writer.exclusively([&](Rows&) { graph_.neighbors.erase_if(node, is_added); });
  }
  has_extremes_ = false;  // link_new checks again
  writer.exclusively([&](Rows& rows) {
    graph_.linked = std::min<std::size_t>(graph_.linked, first);
    std::erase_if(graph_.entries, is_added);
    graph_.neighbors.truncate(first);
    if (graph_.entries.empty()) {  // later rows may be distributed differently, so codes are trained again
      graph_.linked = graph_.codes_trained_on = 0;
      graph_.codes.reset();
    }
    if (graph_.codes) graph_.codes->truncate(first);
    rows.rollback(first);
    ++version_;
  });
  changed_since_check_ = first;  // edges were lost: makes the reachability check due, now or at the next change
  try {
    if (!graph_.is_empty()) check_reachability(writer, 0, 0);
  } catch (...) {  // the caller already rethrows the first error
  }
}

std::size_t Hnsw::remove(const IdsView& ids) {
  Records::Writer writer = records_.write();
  const std::vector<Row> removed_rows = writer->find_or_throw(ids);
  const std::size_t removed = writer.exclusively([&](Rows& rows) {
    ++version_;
    tuning_.promise.changed += removed_rows.size();
    return rows.remove(removed_rows);
  });
  if (writer->removed_share() > Rows::max_removed_share) {
    try {
      compact(writer, 0);
    } catch (const std::bad_alloc&) {  // the rows are removed; a later call frees their memory
    }
  }
  return removed;
}

void Hnsw::reset() {
  Records::Writer writer = records_.write();
  if (writer->live_count() > 0) return;
  compact(writer, 0);
  reset(writer);
}

void Hnsw::reset(Records::Writer& writer) noexcept {
  writer.exclusively([&](Rows& rows) {
    rows.reset();
    graph_ = HnswGraph(settings_.degree());
    ++version_;
  });
  has_extremes_ = are_underflowing_ = false;
  changed_since_check_ = 0;
}

void Hnsw::optimize() {
  Records::Writer writer = records_.write();
  compact(writer, 0);
  has_extremes_ = false;  // link_new checks again
  link_new(writer, 0);
  if (!graph_.is_empty()) repair_reachability(writer, 0);
  if (tuning_.promise.changed > 0) keep_promise(writer, writer->count(), 0);
}

Tuning Hnsw::tuning() const {
  const Records::ReadLock rows = records_.read();
  return tuning_;
}

void Hnsw::set_tuning(Tuning tuning) {
  Records::Writer writer = records_.write();
  writer.exclusively([&](Rows&) noexcept { std::swap(tuning_, tuning); });
}

std::size_t Hnsw::default_effort(std::size_t k) const {
  const Records::ReadLock rows = records_.read();
  const std::size_t ef = resolved_ef(*rows, k, 0);
  return ef == exact_effort ? std::max<std::size_t>(rows->live_count(), k) : ef;
}

double Hnsw::untrained_share() const {
  const Records::ReadLock rows = records_.read();
  if (!graph_.codes || graph_.codes_trained_on >= rows->count()) return 0;
  return 1 - static_cast<double>(graph_.codes_trained_on) / static_cast<double>(rows->count());
}

bool Hnsw::is_exact() const {
  const Records::ReadLock rows = records_.read();
  return graph_.is_empty();
}

std::size_t Hnsw::unreachable() const {
  const Records::ReadLock rows = records_.read();
  if (graph_.is_empty()) return 0;
  std::vector<Row> missing = unreachable_nodes(graph_.neighbors, graph_.entries);
  std::erase_if(missing, [&](Row row) { return !rows->ids().is_live(row); });
  return missing.size();
}

}  // namespace lookalike
