// Exact search with lower bounds: scans byte codes first, and measures only rows whose lower bound is at most the
// query's limit. The limit is the smallest upper bound of the k-th distance that any thread has found so far. Rows
// above it cannot be among the k nearest, so the answer is the same as without lower bounds.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>

#include "bounds/row_bounds.hpp"
#include "exact/keys.hpp"
#include "exact/parts.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t block_bytes = 128 * 1024;  // of codes; small, so that threads share the work evenly
constexpr std::size_t pending_rows = 32;         // rows measured in one call, so that their cache misses overlap
constexpr std::size_t min_sample_rows = 2048;

/// A run of queries: their codes, and the limits that all threads share.
class QueryRun {
 public:
  QueryRun(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t first,
           std::size_t last, std::size_t k, unsigned threads)
      : target_(target),
        bounds_(*target.bounds),
        queries_(queries),
        first_(first),
        count_(last - first),
        k_(k),
        codes_(count_ * bounds_.dim()),
        rounding_errors_(count_),
        norms_(count_),
        slacks_(count_),
        limits_(count_) {
    encode(threads);
    initialize_limits(subset, threads);
  }

  std::size_t count() const noexcept { return count_; }
  std::size_t k() const noexcept { return k_; }
  const std::int8_t* query_code(std::size_t i) const noexcept { return codes_.data() + i * bounds_.dim(); }
  /// Rows whose |z_x - z_q|^2 is above this cannot be among the k nearest.
  float limit(std::size_t i) const noexcept { return limits_[i].load(std::memory_order_relaxed); }

  bool admits(Row row) const noexcept { return !target_.admitted || target_.admitted->test(row); }

  /// Measures `rows` for query i, adds them to `pool`, and lowers the query's limit.
  void measure(std::size_t i, std::span<const Row> rows, CandidatePool pool, std::vector<PreciseNeighbor>& scratch) {
    std::array<float, pending_rows> keys;
    block_keys(target_, queries_, first_ + i, rows, 0, rows.size(), keys.data());
    bool is_changed = false;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (keys[r] > pool.limit()) continue;
      pool.push(keys[r], rows[r]);
      is_changed = true;
      if (!pool.is_full()) continue;
      pool.tighten(slacks_[i]);
      if (pool.candidates().size() > CandidatePool::capacity_for(k_) - 16)
        keep_k_nearest(pool, target_, queries_, first_ + i, k_, scratch);
    }
    if (!is_changed) return;
    pool.tighten(slacks_[i]);
    if (pool.limit() < infinity) reduce_limit(i, squared_distance(i, pool.limit()));
  }

  void write_query(std::size_t i, std::span<Candidate> candidates, std::span<Neighbor> out,
                   std::vector<PreciseNeighbor>& scratch) const {
    write_k_nearest(candidates, slacks_[i], target_, queries_, first_ + i, out.subspan((first_ + i) * k_, k_), scratch);
  }

 private:
  void encode(unsigned threads) {
    std::vector<float> vectors(count_ * queries_.dim());
    std::vector<double> scales(count_);
    parallel_for(count_, threads, [&](std::size_t i, unsigned) {
      queries_.as_floats(first_ + i, vectors.data() + i * queries_.dim());
      norms_[i] = target_.metric == Metric::cosine ? std::sqrt(queries_.square(first_ + i)) : 1;
      scales[i] = norms_[i] > 0 ? 1 / norms_[i] : 0;
      slacks_[i] = key_slack(target_, queries_, first_ + i);
      limits_[i].store(infinity, std::memory_order_relaxed);
    });
    bounds_.encode(vectors, scales, threads, codes_.data(), rounding_errors_.data());
  }

  /// Converts a key to the squared distance that the codes bound: |x - q|^2, or 2 (1 - cosine) between unit vectors.
  double squared_distance(std::size_t i, float key) const {
    if (target_.metric == Metric::l2) return key;
    return norms_[i] > 0 ? 2 * (1 + key / norms_[i]) + 1e-6 : std::numeric_limits<double>::infinity();
  }

  void reduce_limit(std::size_t i, double square) {
    const float limit = bounds_.code_limit(square, rounding_errors_[i]);
    float current = limits_[i].load(std::memory_order_relaxed);
    while (limit < current && !limits_[i].compare_exchange_weak(current, limit, std::memory_order_relaxed)) {
    }
  }

  /// Sets the limits from a sample of the rows: finds the k nearest by their codes, measures them, and takes the upper
  /// bound of their k-th distance.
  void initialize_limits(std::span<const Row> subset, unsigned threads) {
    const std::size_t rows = subset.empty() ? target_.rows.count : subset.size();
    const std::size_t samples = std::max(min_sample_rows, 4 * k_);
    if (rows < 4 * samples) return;
    std::vector<Row> sample(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      const std::size_t position = i * rows / samples;
      sample[i] = subset.empty() ? static_cast<Row>(position) : subset[position];
    }
    const ExactTarget codes{.rows = bounds_.codes(), .metric = Metric::l2};
    const VectorsView query_codes{reinterpret_cast<const std::byte*>(codes_.data()), Element::s8, count_, bounds_.dim(),
                                  bounds_.dim()};
    const PreparedQueries prepared(query_codes, Element::s8, Metric::l2, threads);
    std::vector<Neighbor> nearest(count_ * k_);
    (count_ < 4 ? scan_search : tile_search)(codes, prepared, sample, k_, threads, nearest);
    parallel_for(count_, threads, [&](std::size_t i, unsigned) {
      std::vector<Row> nearest_by_code;
      for (std::size_t j = 0; j < k_; ++j) nearest_by_code.push_back(nearest[i * k_ + j].row);
      std::vector<float> keys(k_);
      block_keys(target_, queries_, first_ + i, nearest_by_code, 0, k_, keys.data());
      std::vector<Candidate> candidates;
      for (std::size_t j = 0; j < k_; ++j) candidates.push_back({keys[j], nearest_by_code[j]});
      const float limit = kth_upper_bound(candidates, k_, slacks_[i]);
      if (limit < infinity) reduce_limit(i, squared_distance(i, limit));
    });
  }

  const ExactTarget& target_;
  const RowBounds& bounds_;
  const PreparedQueries& queries_;
  const std::size_t first_, count_, k_;
  std::vector<std::int8_t> codes_;
  std::vector<float> rounding_errors_;
  std::vector<double> norms_;
  std::vector<Slack> slacks_;
  std::vector<std::atomic<float>> limits_;
};

/// One thread's candidates for every query of a run, and the rows that it has yet to measure.
class ThreadCandidates {
 public:
  explicit ThreadCandidates(QueryRun& run) : run_(run), counts_(run.count(), 0), pending_counts_(run.count(), 0) {
    limits_.assign(run.count(), infinity);
    candidates_.resize_for_overwrite(run.count() * CandidatePool::capacity_for(run.k()));
    pending_.resize_for_overwrite(run.count() * pending_rows);
  }

  /// Adds a row that the lower bounds did not rule out. Returns true if the pending rows were full and are now
  /// measured.
  bool add(std::size_t i, Row row) {
    if (!run_.admits(row)) return false;
    pending_.mutable_data()[i * pending_rows + pending_counts_[i]++] = row;
    if (pending_counts_[i] < pending_rows) return false;
    flush(i, scratch_);
    return true;
  }

  /// Measures the pending rows. `scratch` belongs to the calling thread, which may differ from the one that added them.
  void flush(std::size_t i, std::vector<PreciseNeighbor>& scratch) {
    if (pending_counts_[i] == 0) return;
    run_.measure(i, {pending_.data() + i * pending_rows, pending_counts_[i]}, pool(i), scratch);
    pending_counts_[i] = 0;
  }

  std::span<Candidate> candidates(std::size_t i) { return pool(i).candidates(); }

 private:
  CandidatePool pool(std::size_t i) {
    return {candidates_.mutable_data() + i * CandidatePool::capacity_for(run_.k()), counts_[i], limits_[i], run_.k()};
  }

  QueryRun& run_;
  Array<Candidate> candidates_;
  Array<Row> pending_;
  std::vector<std::size_t> counts_;
  std::vector<std::uint32_t> pending_counts_;
  std::vector<float> limits_;
  std::vector<PreciseNeighbor> scratch_;
};

/// Scans all codes for one query.
void scan_codes(const VectorsView& codes, const QueryRun& run, std::size_t query, ThreadCandidates& thread_candidates,
                std::vector<PreciseNeighbor>& scratch) {
  constexpr std::size_t block = 512;
  std::array<float, block> keys;
  std::array<std::uint32_t, block> positions;
  for (std::size_t start = 0; start < codes.count; start += block) {
    const std::size_t size = std::min(block, codes.count - start);
    kernels().squared_l2_s8.scan(run.query_code(query), codes.row(start), codes.stride, size, codes.dim, keys.data());
    const std::size_t hit_count = kernels().find_not_above(keys.data(), size, run.limit(query), positions.data());
    for (std::size_t h = 0; h < hit_count; ++h)
      if (!(keys[positions[h]] > run.limit(query)))
        thread_candidates.add(query, static_cast<Row>(start + positions[h]));
  }
  thread_candidates.flush(query, scratch);
}

/// Scans blocks of codes for all queries of a run, as tiles of a matrix product.
class CodeTiles {
 public:
  CodeTiles(const VectorsView& codes, const QueryRun& run, unsigned threads)
      : codes_(codes),
        run_(run),
        panel_bytes_((tile_.row_panel_bytes(codes.dim) + alignment - 1) / alignment * alignment),
        panels_(std::max<std::size_t>(1, block_bytes / panel_bytes_)),
        queries_(tile_, run.count(), codes.dim),
        squares_(run.count()) {
    parallel_for(queries_.panels(), threads, [&](std::size_t p, unsigned) {
      const std::byte* vectors[QueryPanels::max_panel_queries];
      for (std::size_t i = 0; i < queries_.size(p); ++i) {
        vectors[i] = reinterpret_cast<const std::byte*>(run.query_code(queries_.first(p) + i));
        squares_[queries_.first(p) + i] = static_cast<float>(precise_squared_norm(vectors[i], Element::s8, codes.dim));
      }
      queries_.pack(p, vectors, Element::s8, nullptr, nullptr);
    });
  }

  std::size_t blocks() const noexcept { return (codes_.count + panels_ * tile_.rows - 1) / (panels_ * tile_.rows); }

  void search_block(std::size_t block, ThreadCandidates& thread_candidates) const {
    const std::size_t begin = block * panels_ * tile_.rows;
    const std::size_t end = std::min(codes_.count, begin + panels_ * tile_.rows);
    Array<std::byte> panels;
    panels.resize_for_overwrite(panels_ * panel_bytes_);
    std::vector<float> bias(panels_ * tile_.rows, infinity), scale(panels_ * tile_.rows, 2.0f);
    for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p) {
      const std::byte* vectors[32];
      float sums[32], squares[32];
      const std::size_t size = std::min(tile_.rows, end - start);
      for (std::size_t r = 0; r < size; ++r) vectors[r] = codes_.row(start + r);
      std::byte* const panel = panels.mutable_data() + p * panel_bytes_;
      tile_.pack_rows(vectors, Element::s8, size, codes_.dim, nullptr, panel);
      tile_.row_sums(panel, codes_.dim, sums, squares);
      std::copy_n(squares, size, bias.begin() + static_cast<std::ptrdiff_t>(p * tile_.rows));
    }
    for (std::size_t first = 0; first < run_.count(); first += tile_.queries) {
      float limits[16];
      for (std::size_t i = 0; i < tile_.queries; ++i)
        limits[i] = first + i < run_.count() ? key_limit(first + i) : -infinity;
      for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p)
        multiply(panels.data() + p * panel_bytes_, first, bias.data() + p * tile_.rows, scale.data(), start, limits,
                 thread_candidates);
    }
  }

 private:
  /// The limit on the tile's keys, which are |z_x|^2 - 2 <z_x, z_q>.
  float key_limit(std::size_t i) const { return run_.limit(i) - squares_[i]; }

  /// Multiplies a panel of codes by the panel of queries that starts at `first`. Lowers `limits` as rows are measured.
  void multiply(const std::byte* panel, std::size_t first, const float* bias, const float* scale, std::size_t start,
                float (&limits)[16], ThreadCandidates& thread_candidates) const {
    float keys[32 * 16];
    std::uint32_t row_masks[16];
    std::uint32_t query_mask =
        tile_.multiply(panel, queries_.panel(first / tile_.queries), codes_.dim, bias, scale, limits, keys, row_masks);
    const std::size_t count = std::min(tile_.queries, run_.count() - first);
    for (; query_mask; query_mask &= query_mask - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(query_mask));
      if (i >= count) break;
      for (std::uint32_t mask = row_masks[i]; mask; mask &= mask - 1) {
        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
        if (start + lane >= codes_.count || keys[i * tile_.rows + lane] > limits[i]) continue;
        if (thread_candidates.add(first + i, static_cast<Row>(start + lane))) limits[i] = key_limit(first + i);
      }
    }
  }

  const TileKernel& tile_ = kernels().tile_bytes;
  const VectorsView codes_;
  const QueryRun& run_;
  const std::size_t panel_bytes_, panels_;
  QueryPanels queries_;
  std::vector<float> squares_;
};

void search_run(QueryRun& run, const VectorsView& codes, unsigned threads, std::span<Neighbor> out) {
  if (run.count() < 4) {
    parallel_for(run.count(), threads, [&](std::size_t i, unsigned) {
      ThreadCandidates thread_candidates(run);
      std::vector<PreciseNeighbor> scratch;
      scan_codes(codes, run, i, thread_candidates, scratch);
      run.write_query(i, thread_candidates.candidates(i), out, scratch);
    });
    return;
  }
  const CodeTiles tiles(codes, run, threads);
  std::vector<ThreadCandidates> per_thread;
  per_thread.reserve(threads);
  for (unsigned w = 0; w < threads; ++w) per_thread.emplace_back(run);
  parallel_for(tiles.blocks(), threads,
               [&](std::size_t block, unsigned thread) { tiles.search_block(block, per_thread[thread]); });
  const std::size_t chunk = queries_per_task(run.k());
  parallel_for((run.count() + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
    std::vector<Candidate> merged;
    std::vector<PreciseNeighbor> scratch;
    for (std::size_t i = task * chunk; i < std::min(run.count(), (task + 1) * chunk); ++i) {
      merged.clear();
      for (ThreadCandidates& thread : per_thread) {
        thread.flush(i, scratch);
        const auto candidates = thread.candidates(i);
        merged.insert(merged.end(), candidates.begin(), candidates.end());
      }
      run.write_query(i, merged, out, scratch);
    }
  });
}

}  // namespace

void bounded_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset,
                    std::size_t k, unsigned threads, std::span<Neighbor> out) {
  if (threads == 0) threads = available_threads();
  const std::size_t batch_size = queries_per_run(k, threads);
  for (std::size_t first = 0; first < queries.count(); first += batch_size) {
    const std::size_t last = std::min(queries.count(), first + batch_size);
    QueryRun run(target, queries, subset, first, last, k, threads);
    search_run(run, target.bounds->codes(), threads, out);
  }
}

}  // namespace lookalike
