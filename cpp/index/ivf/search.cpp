#include "index/ivf/search.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "kernels/dispatch.hpp"

namespace lookalike {
namespace {

constexpr std::size_t blocks_together = 8, rows_together = blocks_together * CodeBlock::rows;
constexpr std::size_t scanned_at_once = 8;

/// How many of the nearest by codes are measured, at most: the last of the k may be told wrong by many places, and by
/// more the more rows are told apart and the coarser codes are.
std::size_t pool_for(std::size_t k, std::size_t lists, CodeWidth width) {
  return (4 * k + lists / 2) * (width == CodeWidth::one ? 3 : 1);
}

/// How many more are measured where vectors were scanned: floats order those that are nearly as far as they come.
constexpr std::size_t misordered_by_floats = 6;

/// Of all lists, nearest first, those that hold admitted rows, until these are enough. None where what is admitted lies
/// elsewhere.
void keep_passing(const IvfTarget& target, std::size_t nprobe, std::vector<Neighbor>& ranked) {
  std::size_t near = 0, seen = 0, kept = 0;
  for (std::size_t i = 0; i < std::min(nprobe, ranked.size()); ++i) near += target.passing[ranked[i].row];
  if (2 * near < target.expected) return ranked.clear();
  for (std::size_t i = 0; i < ranked.size() && seen < target.wanted; ++i) {
    const Neighbor list = ranked[i];
    if (target.passing[list.row] == 0) continue;
    seen += target.passing[list.row];
    ranked[kept++] = list;
  }
  ranked.resize(kept);
}

/// Asks memory for the first `most` bytes.
void prefetch(std::span<const std::byte> bytes, std::size_t most) {
  for (std::size_t at = 0; at < std::min(bytes.size(), most); at += 64) __builtin_prefetch(bytes.data() + at);
}

}  // namespace

void IvfSearch::prepare(const IvfTarget& target, const PreparedQueries& queries, std::size_t first,
                        std::span<QueryState> asked) {
  centered_.clear();
  for (QueryState& one : asked) {
    prepare_one(target, queries, first + centered_.size(), one);
    centered_.push_back(&one.query);
  }
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  quantizer.centroids.finish(quantizer.encoder, quantizer.form, centered_, ranking_);
}

void IvfSearch::prepare_one(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                            QueryState& asked) {
  const MetricSpace& space = target.space;
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  const double square = space.query_square(queries.query(query), queries.element());
  asked.kept = kept_scorer(space, queries.query(query), queries.element(), square);
  point_.resize(space.point_dim());
  if (space.metric == Metric::hamming) {
    write_bits(queries.query(query), queries.dim(), point_.data());
  } else {
    floats_.resize(queries.dim());
    queries.as_floats(query, floats_.data());
    space.write_query_point(floats_.data(), square, point_.data());
    asked.slope = slope_of(space, square);
    if (!target.keeps_vectors) asked.origin = origin_of(space, point_, asked.slope);
  }
  quantizer.centroids.center(point_, quantizer.encoder, asked.query);
}

void IvfSearch::take(const IvfTarget& target, const Visit& visit, std::size_t first, std::size_t count,
                     const float* distances, Row hidden) {
  NearestBuffer& pool = asked_[visit.asked].pool;
  // A little more than the limit, for what subtracting rounds off.
  const float limit = pool.limit() - visit.offset;
  const float slack = 1e-6f * (std::fabs(limit) + std::fabs(visit.offset));
  const std::size_t near = kernels().find_not_above(
      distances, count, std::isfinite(limit) ? limit + slack : pool.limit(), positions_.data());
  const bool takes_all = !target.admitted && hidden == no_row && !target.file;
  for (std::size_t i = 0; i < near; ++i) {
    const float distance = distances[positions_[i]] + visit.offset;
    if (!(distance <= pool.limit())) continue;
    const std::size_t place = first + positions_[i];
    if (!takes_all) {
      const Row row = target.lists.lists[visit.list].rows[place];
      if (row >= target.lists.listed) continue;  // a file that was not verified may say anything
      if ((target.admitted && !target.admitted->test(row)) || row == hidden) continue;
    }
    pool.put(distance, visit.first + static_cast<std::uint32_t>(place));
  }
}

void IvfSearch::name_found(const IvfTarget& target, const QueryState& asked) {
  rows_found_.clear();
  for (const Neighbor& found : found_) {
    // The last list that begins at this number or before; without branches to be told wrong.
    const Chosen* chosen = asked.lists.data();
    for (std::size_t left = asked.lists.size(); left > 1;) {
      const std::size_t half = left / 2;
      chosen += chosen[half].first <= found.row ? half : 0;
      left -= half;
    }
    rows_found_.push_back(target.lists.lists[chosen->list].rows.data() + (found.row - chosen->first));
    __builtin_prefetch(rows_found_.back());
  }
  const VectorsView& kept = target.space.rows;
  for (std::size_t i = 0; i < found_.size(); ++i) {
    found_[i].row = *rows_found_[i];
    if (target.keeps_vectors && !target.file) prefetch({kept.row(found_[i].row), kept.stride}, 256);
  }
}

void IvfSearch::fetch_lists(const IvfTarget& target, std::span<const Neighbor> lists) const {
  for (const Neighbor& near : lists) {
    const InvertedList& list = target.lists.lists[near.row];
    target.file->will_read(std::as_bytes(list.rows.span()));
    target.file->will_read(list.blocks.span());
  }
}

void IvfSearch::fetch_found(const IvfTarget& target) const {
  const VectorsView& rows = target.space.rows;
  for (const Neighbor& found : found_) target.file->will_read({rows.row(found.row), rows.stride});
}

void IvfSearch::scan(const IvfTarget& target, Row number, std::span<const Visit> visits, Row hidden) {
  const InvertedList& list = target.lists.lists[number];
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  distances_.resize(scanned_at_once * rows_together);
  positions_.resize(rows_together);
  if (target.file && !quantizer.scans_codes) {
    const std::size_t count = target.space.rows.count, stride = target.space.rows.stride;
    if (std::any_of(list.rows.begin(), list.rows.end(), [&](Row row) { return row >= count; })) return;
    target.file->has_read(list.size(), list.size() * stride);
  }
  if (target.file) target.file->has_read(2, list.rows.span().size_bytes() + list.blocks.size());
  if (!quantizer.scans_codes || quantizer.centroids.frame() == Frame::shared)
    return scan_rows(target, number, visits, hidden);
  // A query is made for every visit; only some of them have to be there at a time.
  per_list_queries_.resize(scanned_at_once);
  for (std::size_t v = 0; v < visits.size(); v += scanned_at_once) {
    const std::span<const Visit> some = visits.subspan(v, std::min(scanned_at_once, visits.size() - v));
    for (std::size_t i = 0; i < some.size(); ++i)
      quantizer.centroids.prepare_for_list(quantizer.encoder, quantizer.form, asked_[some[i].asked].query, number,
                                           per_list_queries_[i]);
    scan_rows(target, number, some, hidden);
  }
}

void IvfSearch::scan_rows(const IvfTarget& target, Row number, std::span<const Visit> visits, Row hidden) {
  const InvertedList& list = target.lists.lists[number];
  for (std::size_t first = 0; first < list.size(); first += rows_together) {
    const std::size_t count = std::min(rows_together, list.size() - first);
    costs.distances += count * visits.size();
    if (target.lists.quantizer->scans_codes) {
      measure_codes(target, number, visits, first, count, hidden);
      continue;
    }
    for (const Visit& visit : visits) {
      QueryState& asked = asked_[visit.asked];
      asked.kept.floats.measure(list.rows.data() + first, count, distances_.data());
      take(target, visit, first, count, distances_.data(), hidden);
    }
  }
}

void IvfSearch::measure_codes(const IvfTarget& target, Row number, std::span<const Visit> visits, std::size_t first,
                              std::size_t count, Row hidden) {
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  const bool are_aimed = quantizer.centroids.frame() == Frame::own;
  const std::byte* const blocks = target.lists.lists[number].blocks.data() + quantizer.form.bytes(first);
  const std::size_t needed = CodeBlock::needed(count);
  for (std::size_t v = 0; v < visits.size(); v += scanned_at_once) {
    const std::span<const Visit> some = visits.subspan(v, std::min(scanned_at_once, visits.size() - v));
    block_queries_.clear();
    for (std::size_t i = 0; i < some.size(); ++i)
      block_queries_.push_back(are_aimed ? per_list_queries_[i].codes : asked_[some[i].asked].query.codes);
    quantizer.form.measure(block_queries_, blocks, needed, distances_.data());
    for (std::size_t i = 0; i < some.size(); ++i)
      take(target, some[i], first, count, distances_.data() + i * needed * CodeBlock::rows, hidden);
  }
}

std::span<const Neighbor> IvfSearch::finish(const IvfTarget& target, std::size_t k, QueryState& asked) {
  // Floats cannot measure so short a query by vectors.
  if (target.keeps_vectors && !asked.kept.is_measurable) return {};
  found_.clear();
  asked.pool.append_to(found_);
  name_found(target, asked);
  // Vectors that were scanned themselves have been read.
  if (!target.lists.quantizer->scans_codes) return rerank_.nearest(asked.kept, found_, k, 1);
  if (!target.keeps_vectors) return told(target, asked);
  if (target.file) fetch_found(target);
  const std::uint64_t before = rerank_.measured;
  const std::span<const Neighbor> nearest = rerank_.nearest(asked.kept, found_, k, asked.slope);
  const std::uint64_t measured = rerank_.measured - before;
  costs.reranked += measured;
  if (target.file) target.file->has_read(measured, measured * target.space.rows.stride);
  return nearest;
}

std::span<const Neighbor> IvfSearch::told(const IvfTarget& target, const QueryState& asked) {
  const double square = target.lists.quantizer->centroids.lacking(asked.query);
  for (Neighbor& found : found_) {
    const double told = asked.slope * (double{found.distance} + square) + asked.origin;
    found.distance = static_cast<float>(target.space.metric == Metric::ip ? told : std::max(told, 0.0));
  }
  // Those equally far stood by their numbers.
  std::sort(found_.begin(), found_.end(), [](const Neighbor& a, const Neighbor& b) {
    return std::tie(a.distance, a.row) < std::tie(b.distance, b.row);
  });
  return finite(found_);
}

std::span<const Neighbor> IvfSearch::choose_lists(const IvfTarget& target, QueryState& asked, std::size_t k,
                                                  std::size_t nprobe) {
  const Centroids& centroids = target.lists.quantizer->centroids;
  std::vector<Neighbor>& ranked = ranking_.ranked;
  if (target.passing.empty()) {
    // What is scanned first sets the limit for all others, whose order does not matter.
    constexpr std::size_t ordered = 8;
    centroids.rank(asked.query, nprobe, ordered, ranking_);
  } else {
    centroids.rank(asked.query, centroids.count(), centroids.count(), ranking_);
    keep_passing(target, nprobe, ranked);
  }
  const IvfQuantizer& quantizer = *target.lists.quantizer;
  asked.pool.begin(!quantizer.scans_codes ? k + misordered_by_floats
                   : target.keeps_vectors ? pool_for(k, ranked.size(), quantizer.encoder.width())
                                          : k);
  // Whole vectors lack nothing.
  if (!quantizer.scans_codes)
    for (Neighbor& list : ranked) list.distance = 0;
  for (const Neighbor& list : ranked) __builtin_prefetch(&target.lists.lists[list.row]);
  asked.lists.clear();
  std::uint32_t first = 0;
  for (const Neighbor& list : ranked) {
    asked.lists.push_back({list.row, first});
    first += static_cast<std::uint32_t>(target.lists.lists[list.row].size());
  }
  return ranked;
}

std::span<const Neighbor> IvfSearch::one(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                                         std::size_t k, std::size_t nprobe, Row hidden) {
  if (asked_.empty()) asked_.resize(1);
  QueryState& asked = asked_.front();
  prepare(target, queries, query, {&asked, 1});
  const std::span<const Neighbor> lists = choose_lists(target, asked, k, nprobe);
  if (target.file) fetch_lists(target, lists);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    if (i + 1 < lists.size()) prefetch(target.lists.lists[lists[i + 1].row].blocks.span(), 4096);
    const Visit visit = {lists[i].row, 0, asked.lists[i].first, lists[i].distance};
    scan(target, lists[i].row, {&visit, 1}, hidden);
  }
  costs.lists += lists.size();
  return finish(target, k, asked);
}

void IvfSearch::rank_lists(const IvfTarget& target, const PreparedQueries& queries, std::size_t query,
                           std::span<std::uint32_t> places) {
  if (asked_.empty()) asked_.resize(1);
  prepare(target, queries, query, {asked_.data(), 1});
  const std::span<const Neighbor> ranked =
      target.lists.quantizer->centroids.rank(asked_.front().query, places.size(), places.size(), ranking_);
  for (std::size_t i = 0; i < ranked.size(); ++i) places[ranked[i].row] = static_cast<std::uint32_t>(i);
}

void IvfSearch::several(const IvfTarget& target, const PreparedQueries& queries, std::size_t first, std::size_t last,
                        std::size_t k, std::size_t nprobe,
                        function_ref<void(std::size_t, std::span<const Neighbor>)> put) {
  if (asked_.size() < last - first) asked_.resize(last - first);
  visits_.clear();
  std::vector<Visit> nearest;
  constexpr std::size_t projected_together = 8;
  for (std::size_t q = first; q < last; ++q) {
    QueryState& asked = asked_[q - first];
    if ((q - first) % projected_together == 0)
      prepare(target, queries, q, std::span(asked_).subspan(q - first, std::min(projected_together, last - q)));
    const std::span<const Neighbor> lists = choose_lists(target, asked, k, nprobe);
    for (std::size_t i = 0; i < lists.size(); ++i)
      (i == 0 ? nearest : visits_)
          .push_back({lists[i].row, static_cast<std::uint32_t>(q - first), asked.lists[i].first, lists[i].distance});
    costs.lists += lists.size();
  }
  // Everyone's nearest list before all others: limits are low from then on.
  for (std::vector<Visit>* visits : {&nearest, &visits_}) {
    by_list_.clear();
    for (std::size_t i = 0; i < visits->size(); ++i) by_list_.push_back(std::uint64_t{(*visits)[i].list} << 32 | i);
    std::sort(by_list_.begin(), by_list_.end());
    for (std::size_t i = 0; i < by_list_.size();) {
      const Row list = static_cast<Row>(by_list_[i] >> 32);
      of_list_.clear();
      for (; i < by_list_.size() && by_list_[i] >> 32 == list; ++i)
        of_list_.push_back((*visits)[static_cast<std::uint32_t>(by_list_[i])]);
      scan(target, list, of_list_, no_row);
    }
  }
  for (std::size_t q = first; q < last; ++q) put(q, finish(target, k, asked_[q - first]));
}

}  // namespace lookalike
