#include "index/ivf/search.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t blocks_per_scan = 8, rows_per_scan = blocks_per_scan * CodeBlock::rows;
constexpr std::size_t queries_per_scan = 8;

/// How many candidates to keep for reranking. The rank of the k-th neighbour by estimated distance is the worse, the
/// more lists are scanned and the coarser codes are.
std::size_t rerank_count(std::size_t k, std::size_t lists, CodeWidth width) {
  return (4 * k + lists / 2) * (width == CodeWidth::one ? 3 : 1);
}

/// How many candidates to keep in addition to k if vectors are scanned: floats misorder nearly equal distances.
constexpr std::size_t float_rerank_margin = 6;

/// Keeps the nearest lists that hold admitted rows, until they hold target.min_admitted of them. `ranked` holds all
/// lists, nearest first. Keeps none if the nearest lists hold far fewer admitted rows than expected.
void select_filtered_lists(const IvfTarget& target, std::size_t nprobe, std::vector<Neighbor>& ranked) {
  std::size_t in_nearest = 0, seen = 0, kept = 0;
  for (std::size_t i = 0; i < std::min(nprobe, ranked.size()); ++i)
    in_nearest += target.admitted_per_list[ranked[i].row];
  if (2 * in_nearest < target.expected_admitted) return ranked.clear();
  for (std::size_t i = 0; i < ranked.size() && seen < target.min_admitted; ++i) {
    const Neighbor list = ranked[i];
    if (target.admitted_per_list[list.row] == 0) continue;
    seen += target.admitted_per_list[list.row];
    ranked[kept++] = list;
  }
  ranked.resize(kept);
}

/// Prefetches at most `max_bytes` bytes into the CPU caches.
void prefetch(std::span<const std::byte> bytes, std::size_t max_bytes) {
  for (std::size_t at = 0; at < std::min(bytes.size(), max_bytes); at += 64) __builtin_prefetch(bytes.data() + at);
}

}  // namespace

void IvfSearch::prepare(const IvfTarget& target, const PreparedQueries& queries, std::size_t first,
                        std::span<QueryState> states) {
  centered_.clear();
  for (QueryState& state : states) {
    prepare_query(target, queries, first + centered_.size(), state);
    centered_.push_back(&state.query);
  }
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  quantizer.centroids.project_queries(quantizer.encoder, quantizer.layout, centered_, ranking_);
}

void IvfSearch::prepare_query(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                              QueryState& state) {
  const MetricSpace& space = target.space;
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  const double square = space.query_squared_norm(queries.query(query), queries.element());
  state.scorer = rerank_scorer(space, queries.query(query), queries.element(), square);
  point_.resize(space.point_dim());
  if (space.metric == Metric::hamming) {
    write_bits(queries.query(query), queries.dim(), point_.data());
  } else {
    floats_.resize(queries.dim());
    queries.as_floats(query, floats_.data());
    space.write_query_point(floats_.data(), square, point_.data());
    state.slope = slope_of(space, square);
    if (!target.keeps_vectors) state.intercept = intercept_of(space, point_, state.slope);
  }
  quantizer.centroids.center_query(point_, quantizer.encoder, state.query);
}

void IvfSearch::collect(const IvfTarget& target, const Probe& probe, std::size_t first, std::size_t count,
                        const float* distances, Row hidden) {
  NearestBuffer& pool = states_[probe.query].pool;
  // The limit is relaxed by the rounding error of the subtraction.
  const float limit = pool.limit() - probe.offset;
  const float rounding_slack = 1e-6f * (std::fabs(limit) + std::fabs(probe.offset));
  const std::size_t count_not_above = kernels().find_not_above(
      distances, count, std::isfinite(limit) ? limit + rounding_slack : pool.limit(), positions_.data());
  const bool accepts_all = !target.admitted && hidden == no_row && !target.file;
  for (std::size_t i = 0; i < count_not_above; ++i) {
    const float distance = distances[positions_[i]] + probe.offset;
    if (!(distance <= pool.limit())) continue;
    const std::size_t position = first + positions_[i];
    if (!accepts_all) {
      const Row row = target.lists.lists[probe.list].rows[position];
      if (row >= target.lists.listed_rows) continue;  // an unverified file may hold any number
      if ((target.admitted && !target.admitted->test(row)) || row == hidden) continue;
    }
    pool.push(distance, probe.first + static_cast<std::uint32_t>(position));
  }
}

void IvfSearch::resolve_rows(const IvfTarget& target, const QueryState& state) {
  row_locations_.clear();
  for (const Neighbor& found : found_) {
    // A branchless binary search for the list that contains this position.
    const ProbedList* probed = state.lists.data();
    for (std::size_t left = state.lists.size(); left > 1;) {
      const std::size_t half = left / 2;
      probed += probed[half].first <= found.row ? half : 0;
      left -= half;
    }
    row_locations_.push_back(target.lists.lists[probed->list].rows.data() + (found.row - probed->first));
    __builtin_prefetch(row_locations_.back());
  }
  const VectorsView& vectors = target.space.rows;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    found_[i].row = *row_locations_[i];
    if (target.keeps_vectors && !target.file) prefetch({vectors.row(found_[i].row), vectors.stride}, 256);
  }
}

void IvfSearch::prefetch_lists(const IvfTarget& target, std::span<const Neighbor> lists) const {
  for (const Neighbor& selected : lists) {
    const InvertedList& list = target.lists.lists[selected.row];
    target.file->prefetch_range(std::as_bytes(list.rows.span()));
    target.file->prefetch_range(list.blocks.span());
  }
}

void IvfSearch::prefetch_vectors(const IvfTarget& target) const {
  const VectorsView& rows = target.space.rows;
  for (const Neighbor& found : found_) target.file->prefetch_range({rows.row(found.row), rows.stride});
}

void IvfSearch::scan_list(const IvfTarget& target, Row list_number, std::span<const Probe> probes, Row hidden) {
  const InvertedList& list = target.lists.lists[list_number];
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  distances_.resize(queries_per_scan * rows_per_scan);
  positions_.resize(rows_per_scan);
  if (target.file && !quantizer.scans_codes) {
    const std::size_t count = target.space.rows.count, stride = target.space.rows.stride;
    if (std::any_of(list.rows.begin(), list.rows.end(), [&](Row row) { return row >= count; })) return;
    target.file->count_read(list.size(), list.size() * stride);
  }
  if (target.file) target.file->count_read(2, list.rows.span().size_bytes() + list.blocks.size());
  if (!quantizer.scans_codes || quantizer.centroids.frame() == Frame::shared)
    return scan_rows(target, list_number, probes, hidden);
  // Each probe needs its own query relative to the centroid. They are prepared in small batches.
  per_list_queries_.resize(queries_per_scan);
  for (std::size_t v = 0; v < probes.size(); v += queries_per_scan) {
    const std::span<const Probe> some = probes.subspan(v, std::min(queries_per_scan, probes.size() - v));
    for (std::size_t i = 0; i < some.size(); ++i)
      quantizer.centroids.prepare_list_query(quantizer.encoder, quantizer.layout, states_[some[i].query].query,
                                             list_number, per_list_queries_[i]);
    scan_rows(target, list_number, some, hidden);
  }
}

void IvfSearch::scan_rows(const IvfTarget& target, Row list_number, std::span<const Probe> probes, Row hidden) {
  const InvertedList& list = target.lists.lists[list_number];
  for (std::size_t first = 0; first < list.size(); first += rows_per_scan) {
    const std::size_t count = std::min(rows_per_scan, list.size() - first);
    costs.distances += count * probes.size();
    if (target.lists.quantizer->scans_codes) {
      scan_codes(target, list_number, probes, first, count, hidden);
      continue;
    }
    for (const Probe& probe : probes) {
      QueryState& state = states_[probe.query];
      state.scorer.fast.measure(list.rows.data() + first, count, distances_.data());
      collect(target, probe, first, count, distances_.data(), hidden);
    }
  }
}

void IvfSearch::scan_codes(const IvfTarget& target, Row list_number, std::span<const Probe> probes, std::size_t first,
                           std::size_t count, Row hidden) {
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  const bool has_own_frames = quantizer.centroids.frame() == Frame::per_list;
  const std::byte* const blocks = target.lists.lists[list_number].blocks.data() + quantizer.layout.bytes(first);
  const std::size_t block_count = CodeBlock::needed(count);
  for (std::size_t v = 0; v < probes.size(); v += queries_per_scan) {
    const std::span<const Probe> some = probes.subspan(v, std::min(queries_per_scan, probes.size() - v));
    block_queries_.clear();
    for (std::size_t i = 0; i < some.size(); ++i)
      block_queries_.push_back(has_own_frames ? per_list_queries_[i].block_query
                                              : states_[some[i].query].query.block_query);
    quantizer.layout.scan(block_queries_, blocks, block_count, distances_.data());
    for (std::size_t i = 0; i < some.size(); ++i)
      collect(target, some[i], first, count, distances_.data() + i * block_count * CodeBlock::rows, hidden);
  }
}

std::span<const Neighbor> IvfSearch::finish(const IvfTarget& target, std::size_t k, QueryState& state) {
  // The query is too short to be compared with vectors in floats.
  if (target.keeps_vectors && !state.scorer.is_measurable) return {};
  found_.clear();
  state.pool.append_to(found_);
  resolve_rows(target, state);
  // If vectors were scanned, they are in memory already and their distances need no slope.
  if (!target.lists.quantizer->scans_codes) return reranker_.rerank(state.scorer, found_, k, 1);
  if (!target.keeps_vectors) return estimated_results(target, state);
  if (target.file) prefetch_vectors(target);
  const std::uint64_t before = reranker_.measured;
  const std::span<const Neighbor> nearest = reranker_.rerank(state.scorer, found_, k, state.slope);
  const std::uint64_t measured = reranker_.measured - before;
  costs.reranked += measured;
  if (target.file) target.file->count_read(measured, measured * target.space.rows.stride);
  return nearest;
}

std::span<const Neighbor> IvfSearch::estimated_results(const IvfTarget& target, const QueryState& state) {
  const double square = target.lists.quantizer->centroids.omitted_squared_norm(state.query);
  for (Neighbor& found : found_) {
    const double estimated = state.slope * (double{found.distance} + square) + state.intercept;
    found.distance = static_cast<float>(target.space.metric == Metric::ip ? estimated : std::max(estimated, 0.0));
  }
  // The pool breaks ties by position; results break them by row.
  std::sort(found_.begin(), found_.end(), [](const Neighbor& a, const Neighbor& b) {
    return std::tie(a.distance, a.row) < std::tie(b.distance, b.row);
  });
  return reject_overflow(found_);
}

std::span<const Neighbor> IvfSearch::select_lists(const IvfTarget& target, QueryState& state, std::size_t k,
                                                  std::size_t nprobe) {
  const Centroids& centroids = target.lists.quantizer->centroids;
  std::vector<Neighbor>& ranked = ranking_.ranked;
  if (target.admitted_per_list.empty()) {
    // The lists scanned first tighten the pool's limit; the order of the others does not matter.
    constexpr std::size_t ordered = 8;
    centroids.rank(state.query, nprobe, ordered, ranking_);
  } else {
    centroids.rank(state.query, centroids.count(), centroids.count(), ranking_);
    select_filtered_lists(target, nprobe, ranked);
  }
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  state.pool.reset(!quantizer.scans_codes ? k + float_rerank_margin
                   : target.keeps_vectors ? rerank_count(k, ranked.size(), quantizer.encoder.width())
                                          : k);
  // Distances to vectors, unlike those to codes of residuals, need no offset.
  if (!quantizer.scans_codes)
    for (Neighbor& list : ranked) list.distance = 0;
  for (const Neighbor& list : ranked) __builtin_prefetch(&target.lists.lists[list.row]);
  state.lists.clear();
  std::uint32_t first = 0;
  for (const Neighbor& list : ranked) {
    state.lists.push_back({list.row, first});
    first += static_cast<std::uint32_t>(target.lists.lists[list.row].size());
  }
  return ranked;
}

std::span<const Neighbor> IvfSearch::search(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                                            std::size_t k, std::size_t nprobe, Row hidden) {
  if (states_.empty()) states_.resize(1);
  QueryState& state = states_.front();
  prepare(target, queries, query, {&state, 1});
  const std::span<const Neighbor> lists = select_lists(target, state, k, nprobe);
  if (target.file) prefetch_lists(target, lists);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (i + 1 < lists.size()) prefetch(target.lists.lists[lists[i + 1].row].blocks.span(), 4096);
    const Probe probe = {lists[i].row, 0, state.lists[i].first, lists[i].distance};
    scan_list(target, lists[i].row, {&probe, 1}, hidden);
  }
  costs.lists += lists.size();
  return finish(target, k, state);
}

void IvfSearch::rank_lists(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                           std::span<std::uint32_t> ranks) {
  if (states_.empty()) states_.resize(1);
  prepare(target, queries, query, {states_.data(), 1});
  const std::span<const Neighbor> ranked =
      target.lists.quantizer->centroids.rank(states_.front().query, ranks.size(), ranks.size(), ranking_);
  for (std::size_t i = 0; i < ranked.size(); ++i) ranks[ranked[i].row] = static_cast<std::uint32_t>(i);
}

void IvfSearch::search_batch(const IvfTarget& target, const PreparedQueries& queries, std::size_t first,
                             std::size_t last, std::size_t k, std::size_t nprobe,
                             function_ref<void(std::size_t, std::span<const Neighbor>)> emit) {
  if (states_.size() < last - first) states_.resize(last - first);
  probes_.clear();
  std::vector<Probe> nearest;
  constexpr std::size_t projection_batch = 8;
  for (std::size_t q = first; q < last; ++q) {
    QueryState& state = states_[q - first];
    if ((q - first) % projection_batch == 0)
      prepare(target, queries, q, std::span(states_).subspan(q - first, std::min(projection_batch, last - q)));
    const std::span<const Neighbor> lists = select_lists(target, state, k, nprobe);
    for (std::size_t i = 0; i < lists.size(); ++i)
      (i == 0 ? nearest : probes_)
          .push_back({lists[i].row, static_cast<std::uint32_t>(q - first), state.lists[i].first, lists[i].distance});
    costs.lists += lists.size();
  }
  // The nearest list of every query is scanned before all others, which tightens the limits of all pools early.
  for (std::vector<Probe>* probes : {&nearest, &probes_}) {
    sorted_probes_.clear();
    for (std::size_t i = 0; i < probes->size(); ++i)
      sorted_probes_.push_back(std::uint64_t{(*probes)[i].list} << 32 | i);
    std::sort(sorted_probes_.begin(), sorted_probes_.end());
    for (std::size_t i = 0; i < sorted_probes_.size();) {
      const Row list = static_cast<Row>(sorted_probes_[i] >> 32);
      list_probes_.clear();
      for (; i < sorted_probes_.size() && sorted_probes_[i] >> 32 == list; ++i)
        list_probes_.push_back((*probes)[static_cast<std::uint32_t>(sorted_probes_[i])]);
      scan_list(target, list, list_probes_, no_row);
    }
  }
  for (std::size_t q = first; q < last; ++q) emit(q, finish(target, k, states_[q - first]));
}

}  // namespace lookalike
