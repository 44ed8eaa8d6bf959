// With a sketch: its byte codes are searched first, and only rows whose code does not prove them too far are measured.
// Every query carries the best upper bound of its k-th distance found so far by any thread, which only ever rules out
// rows that are too far, so the answer is the same as without a sketch.
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

constexpr std::size_t block_bytes = 128 * 1024;  // of codes: many blocks, so that threads end together
constexpr std::size_t pending_rows = 32;         // measured together, so that their cache misses overlap
constexpr std::size_t seed_rows = 2048;

/// The codes of a run of queries, and what is known of their answers.
class BoundedRun {
 public:
  BoundedRun(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t first,
             std::size_t last, std::size_t k, unsigned threads)
      : target_(target),
        sketch_(*target.sketch),
        queries_(queries),
        first_(first),
        count_(last - first),
        k_(k),
        codes_(count_ * sketch_.dim()),
        roundings_(count_),
        norms_(count_),
        slack_(count_),
        limits_(count_) {
    encode(threads);
    seed(picks, threads);
  }

  std::size_t count() const noexcept { return count_; }
  std::size_t k() const noexcept { return k_; }
  const std::int8_t* code(std::size_t i) const noexcept { return codes_.data() + i * sketch_.dim(); }
  /// Rows whose |z_x - z_q|^2 is above this cannot be among the k nearest.
  float limit(std::size_t i) const noexcept { return limits_[i].load(std::memory_order_relaxed); }

  bool admits(Row row) const noexcept { return !target_.admitted || target_.admitted->test(row); }

  /// Measures `rows` for query i, keeps the best in `pool`, and lowers the query's limit.
  void measure(std::size_t i, std::span<const Row> rows, CandidatePool pool, std::vector<Measured>& scratch) {
    std::array<float, pending_rows> keys;
    block_keys(target_, queries_, first_ + i, rows, 0, rows.size(), keys.data());
    bool is_changed = false;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (keys[r] > pool.limit()) continue;
      pool.push(keys[r], rows[r]);
      is_changed = true;
      if (!pool.is_full()) continue;
      pool.tighten(slack_[i]);
      if (pool.held().size() > CandidatePool::capacity_for(k_) - 16)
        exact_argmin(pool, target_, queries_, first_ + i, k_, scratch);
    }
    if (!is_changed) return;
    pool.tighten(slack_[i]);
    if (pool.limit() < infinity) lower(i, squared_distance(i, pool.limit()));
  }

  void finish_query(std::size_t i, std::span<Candidate> candidates, std::span<Neighbor> out,
                    std::vector<Measured>& scratch) const {
    finish(candidates, slack_[i], target_, queries_, first_ + i, out.subspan((first_ + i) * k_, k_), scratch);
  }

 private:
  void encode(unsigned threads) {
    std::vector<float> vectors(count_ * queries_.dim());
    std::vector<double> scales(count_);
    parallel_for(count_, threads, [&](std::size_t i, unsigned) {
      queries_.as_floats(first_ + i, vectors.data() + i * queries_.dim());
      norms_[i] = target_.metric == Metric::cosine ? std::sqrt(queries_.square(first_ + i)) : 1;
      scales[i] = norms_[i] > 0 ? 1 / norms_[i] : 0;
      slack_[i] = key_slack(target_, queries_, first_ + i);
      limits_[i].store(infinity, std::memory_order_relaxed);
    });
    sketch_.encode(vectors, scales, threads, codes_.data(), roundings_.data());
  }

  /// The sketch's squared distance that belongs to a key: |x - q|^2, or 2 (1 - cosine) between unit vectors.
  double squared_distance(std::size_t i, float key) const {
    if (target_.metric == Metric::l2) return key;
    return norms_[i] > 0 ? 2 * (1 + key / norms_[i]) + 1e-6 : std::numeric_limits<double>::infinity();
  }

  void lower(std::size_t i, double square) {
    const float limit = sketch_.code_limit(square, roundings_[i]);
    float known = limits_[i].load(std::memory_order_relaxed);
    while (limit < known && !limits_[i].compare_exchange_weak(known, limit, std::memory_order_relaxed)) {
    }
  }

  /// The k rows of a small sample that look nearest by their codes bound the k-th distance from above.
  void seed(std::span<const Row> picks, unsigned threads) {
    const std::size_t rows = picks.empty() ? target_.rows.count : picks.size();
    const std::size_t samples = std::max(seed_rows, 4 * k_);
    if (rows < 4 * samples) return;
    std::vector<Row> sample(samples);
    for (std::size_t i = 0; i < samples; ++i) {
      const std::size_t place = i * rows / samples;
      sample[i] = picks.empty() ? static_cast<Row>(place) : picks[place];
    }
    const ExactTarget codes{.rows = sketch_.codes(), .metric = Metric::l2};
    const VectorsView asked{reinterpret_cast<const std::byte*>(codes_.data()), Element::s8, count_, sketch_.dim(),
                            sketch_.dim()};
    const PreparedQueries prepared(asked, Element::s8, Metric::l2, threads);
    std::vector<Neighbor> nearest(count_ * k_);
    (count_ < 4 ? scan_search : tile_search)(codes, prepared, sample, k_, threads, nearest);
    parallel_for(count_, threads, [&](std::size_t i, unsigned) {
      std::vector<Row> near;
      for (std::size_t j = 0; j < k_; ++j) near.push_back(nearest[i * k_ + j].row);
      std::vector<float> keys(k_);
      block_keys(target_, queries_, first_ + i, near, 0, k_, keys.data());
      std::vector<Candidate> candidates;
      for (std::size_t j = 0; j < k_; ++j) candidates.push_back({keys[j], near[j]});
      const float limit = limit_of(candidates, k_, slack_[i]);
      if (limit < infinity) lower(i, squared_distance(i, limit));
    });
  }

  const ExactTarget& target_;
  const RowBounds& sketch_;
  const PreparedQueries& queries_;
  const std::size_t first_, count_, k_;
  std::vector<std::int8_t> codes_;
  std::vector<float> roundings_;
  std::vector<double> norms_;
  std::vector<Slack> slack_;
  std::vector<std::atomic<float>> limits_;
};

/// One thread's candidates for every query of a run, and the rows it has still to measure.
class Survivors {
 public:
  explicit Survivors(BoundedRun& run) : run_(run), counts_(run.count(), 0), pending_counts_(run.count(), 0) {
    limits_.assign(run.count(), infinity);
    held_.resize_for_overwrite(run.count() * CandidatePool::capacity_for(run.k()));
    pending_.resize_for_overwrite(run.count() * pending_rows);
  }

  /// Whether that filled the pending rows, and they have been measured.
  bool add(std::size_t i, Row row) {
    if (!run_.admits(row)) return false;
    pending_.mutable_data()[i * pending_rows + pending_counts_[i]++] = row;
    if (pending_counts_[i] < pending_rows) return false;
    flush(i, scratch_);
    return true;
  }

  /// `scratch` is the calling thread's: at the end, threads flush queries of one another's survivors.
  void flush(std::size_t i, std::vector<Measured>& scratch) {
    if (pending_counts_[i] == 0) return;
    run_.measure(i, {pending_.data() + i * pending_rows, pending_counts_[i]}, pool(i), scratch);
    pending_counts_[i] = 0;
  }

  std::span<Candidate> held(std::size_t i) { return pool(i).held(); }

 private:
  CandidatePool pool(std::size_t i) {
    return {held_.mutable_data() + i * CandidatePool::capacity_for(run_.k()), counts_[i], limits_[i], run_.k()};
  }

  BoundedRun& run_;
  Array<Candidate> held_;
  Array<Row> pending_;
  std::vector<std::size_t> counts_;
  std::vector<std::uint32_t> pending_counts_;
  std::vector<float> limits_;
  std::vector<Measured> scratch_;
};

/// Reads the codes once for one query.
void scan_codes(const VectorsView& codes, const BoundedRun& run, std::size_t query, Survivors& survivors,
                std::vector<Measured>& scratch) {
  constexpr std::size_t block = 512;
  std::array<float, block> keys;
  std::array<std::uint32_t, block> found;
  for (std::size_t start = 0; start < codes.count; start += block) {
    const std::size_t size = std::min(block, codes.count - start);
    kernels().squared_l2_s8.scan(run.code(query), codes.row(start), codes.stride, size, codes.dim, keys.data());
    const std::size_t hits = kernels().find_not_above(keys.data(), size, run.limit(query), found.data());
    for (std::size_t h = 0; h < hits; ++h)
      if (!(keys[found[h]] > run.limit(query))) survivors.add(query, static_cast<Row>(start + found[h]));
  }
  survivors.flush(query, scratch);
}

/// Multiplies blocks of codes by all queries of a run.
class CodeTiles {
 public:
  CodeTiles(const VectorsView& codes, const BoundedRun& run, unsigned threads)
      : codes_(codes),
        run_(run),
        panel_bytes_((tile_.row_panel_bytes(codes.dim) + alignment - 1) / alignment * alignment),
        panels_(std::max<std::size_t>(1, block_bytes / panel_bytes_)),
        queries_(tile_, run.count(), codes.dim),
        squares_(run.count()) {
    parallel_for(queries_.panels(), threads, [&](std::size_t p, unsigned) {
      const std::byte* vectors[QueryPanels::most_queries];
      for (std::size_t i = 0; i < queries_.size(p); ++i) {
        vectors[i] = reinterpret_cast<const std::byte*>(run.code(queries_.first(p) + i));
        squares_[queries_.first(p) + i] = static_cast<float>(precise_square(vectors[i], Element::s8, codes.dim));
      }
      queries_.pack(p, vectors, Element::s8, nullptr, nullptr);
    });
  }

  std::size_t blocks() const noexcept { return (codes_.count + panels_ * tile_.rows - 1) / (panels_ * tile_.rows); }

  void search_block(std::size_t block, Survivors& survivors) const {
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
                 survivors);
    }
  }

 private:
  /// The limit as keys |z_x|^2 - 2 <z_x, z_q> see it.
  float key_limit(std::size_t i) const { return run_.limit(i) - squares_[i]; }

  /// One panel of codes by the panel of queries from `first` on; lowers their `limits` as survivors are measured.
  void multiply(const std::byte* panel, std::size_t first, const float* bias, const float* scale, std::size_t start,
                float (&limits)[16], Survivors& survivors) const {
    float keys[32 * 16];
    std::uint32_t masks[16];
    std::uint32_t hit =
        tile_.multiply(panel, queries_.panel(first / tile_.queries), codes_.dim, bias, scale, limits, keys, masks);
    const std::size_t count = std::min(tile_.queries, run_.count() - first);
    for (; hit; hit &= hit - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(hit));
      if (i >= count) break;
      for (std::uint32_t mask = masks[i]; mask; mask &= mask - 1) {
        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
        if (start + lane >= codes_.count || keys[i * tile_.rows + lane] > limits[i]) continue;
        if (survivors.add(first + i, static_cast<Row>(start + lane))) limits[i] = key_limit(first + i);
      }
    }
  }

  const TileKernel& tile_ = kernels().tile_bytes;
  const VectorsView codes_;
  const BoundedRun& run_;
  const std::size_t panel_bytes_, panels_;
  QueryPanels queries_;
  std::vector<float> squares_;
};

void search_run(BoundedRun& run, const VectorsView& codes, unsigned threads, std::span<Neighbor> out) {
  if (run.count() < 4) {
    parallel_for(run.count(), threads, [&](std::size_t i, unsigned) {
      Survivors survivors(run);
      std::vector<Measured> scratch;
      scan_codes(codes, run, i, survivors, scratch);
      run.finish_query(i, survivors.held(i), out, scratch);
    });
    return;
  }
  const CodeTiles tiles(codes, run, threads);
  std::vector<Survivors> workers;
  workers.reserve(threads);
  for (unsigned w = 0; w < threads; ++w) workers.emplace_back(run);
  parallel_for(tiles.blocks(), threads,
               [&](std::size_t block, unsigned worker) { tiles.search_block(block, workers[worker]); });
  const std::size_t chunk = finished_together(run.k());
  parallel_for((run.count() + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
    std::vector<Candidate> merged;
    std::vector<Measured> scratch;
    for (std::size_t i = task * chunk; i < std::min(run.count(), (task + 1) * chunk); ++i) {
      merged.clear();
      for (Survivors& worker : workers) {
        worker.flush(i, scratch);
        const auto held = worker.held(i);
        merged.insert(merged.end(), held.begin(), held.end());
      }
      run.finish_query(i, merged, out, scratch);
    }
  });
}

}  // namespace

void bounded_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks,
                    std::size_t k, unsigned threads, std::span<Neighbor> out) {
  if (threads == 0) threads = available_threads();
  const std::size_t together = queries_together(k, threads);
  for (std::size_t first = 0; first < queries.count(); first += together) {
    const std::size_t last = std::min(queries.count(), first + together);
    BoundedRun run(target, queries, picks, first, last, k, threads);
    search_run(run, target.sketch->codes(), threads, out);
  }
}

}  // namespace lookalike
