// Exact search for many queries: a blocked matrix product that compares sums with each query's limit while they are in
// registers, so that it never writes a distance matrix. Rows are packed into panels block by block. Each thread
// collects its own candidates; at the end the exact distances of the merged candidates decide.
#include <algorithm>
#include <bit>
#include <cmath>

#include "exact/parts.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t cache_bytes = 384 * 1024;  // of packed rows: they stay in the L2 cache for all queries

/// If squared norms stay below this, the products of a key do not overflow.
constexpr float max_product = 1e37f;

std::size_t rounded_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// How rows and queries form keys, and the error bounds of these keys (see Slack).
class KeyRule {
 public:
  KeyRule(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset)
      : metric_(target.metric), is_shifted_(queries.element() == Element::u8), dim_(target.rows.dim) {
    is_integer_ = queries.element() != Element::f32;
    relative_error_ = is_integer_ ? integer_error : summation_error(dim_);
    const std::size_t rows = subset.empty() ? target.rows.count : subset.size();
    const std::size_t samples = std::min<std::size_t>(rows, 128);
    const auto sample = [&](std::size_t i) {
      const std::size_t position = i * (rows / samples);
      return target.rows.row(subset.empty() ? static_cast<Row>(position) : subset[position]);
    };
    if (metric_ == Metric::l2 && !is_integer_) find_center(target, samples, sample);
    if (metric_ == Metric::ip) estimate_balance(target, queries, samples, sample);
  }

  /// Subtracted from rows and queries. This keeps distances but shrinks norms, and rounding errors with them.
  const float* center() const noexcept { return center_.empty() ? nullptr : center_.data(); }

  /// Computes a row's bias, scale and slack from the sums over its packed elements (which are shifted, see TileKernel).
  void row(float sum, float square, const float* inverse_norm, float& bias, float& scale, float& slack) const {
    const float shift = is_shifted_ ? 128 * sum : 0;
    switch (metric_) {
      case Metric::l2:
        scale = 2;
        slack = 2 * relative_error_ * square;
        bias = square - slack;
        return;
      case Metric::ip: {
        const float unshifted_square = is_shifted_ ? square + 256 * sum + 16384.0f * static_cast<float>(dim_) : square;
        scale = 1;
        slack = balance_ * unshifted_square / 2 < max_product
                    ? relative_error_ * (balance_ * unshifted_square / 2 + std::abs(shift))
                    : infinity;
        bias = -shift - slack;
        return;
      }
      case Metric::cosine:
        scale = *inverse_norm;
        slack = square < max_product ? (relative_error_ * std::abs(shift) + underflow(dim_)) * scale : infinity;
        bias = -shift * scale - slack;
        return;
      case Metric::hamming: return;
    }
  }

  Slack query(double square, const float* row_slack) const {
    // For l2 the kernel multiplies shifted bytes, so the bound takes the largest square of a shifted query.
    if (metric_ == Metric::l2 && is_shifted_) square = 16384.0 * static_cast<double>(dim_);
    const double scaled_square = metric_ == Metric::ip ? square / (2 * balance_) : square;
    double slack =
        underflow(dim_) + relative_error_ * (metric_ == Metric::cosine ? std::sqrt(scaled_square) : scaled_square);
    if (!(scaled_square < max_product)) slack = infinity;
    return {.relative = 0, .rows = row_slack, .query = static_cast<float>(slack)};
  }

  /// The initial sum of a byte tile for a query. It undoes the shift, except for the row's part, which the bias undoes.
  std::int32_t start(const std::byte* query) const {
    if (metric_ == Metric::l2 || !is_shifted_) return 0;
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < dim_; ++i) sum += static_cast<std::int32_t>(query[i]) - 128;
    return 128 * sum + 16384 * static_cast<std::int32_t>(dim_);
  }

 private:
  template <class Sample>
  void find_center(const ExactTarget& target, std::size_t samples, Sample sample) {
    std::vector<double> sums(dim_, 0.0);
    const std::byte* rows[1];
    const TileKernel& tile = kernels().tile_f32;
    Array<float> panel;  // packing one row converts it to floats
    panel.resize_for_overwrite(tile.row_panel_bytes(dim_) / sizeof(float));
    for (std::size_t i = 0; i < samples; ++i) {
      rows[0] = sample(i);
      tile.pack_rows(rows, target.rows.element, 1, dim_, nullptr, panel.mutable_data());
      for (std::size_t d = 0; d < dim_; ++d) sums[d] += panel[d * tile.rows];
    }
    for (const double sum : sums) center_.push_back(static_cast<float>(sum / static_cast<double>(samples)));
  }

  /// Estimates b = |q| / |x|, with which the bound |q||x| <= (q^2 / b + b x^2) / 2 is tightest.
  template <class Sample>
  void estimate_balance(const ExactTarget& target, const PreparedQueries& queries, std::size_t samples, Sample sample) {
    double mean_row_square = 0, mean_query_square = 0;
    for (std::size_t i = 0; i < samples; ++i)
      mean_row_square += precise_squared_norm(sample(i), target.rows.element, dim_) / static_cast<double>(samples);
    const std::size_t query_samples = std::min<std::size_t>(queries.count(), 128);
    for (std::size_t i = 0; i < query_samples; ++i)
      mean_query_square += queries.square(i) / static_cast<double>(query_samples);
    if (mean_row_square > 0 && mean_query_square > 0)
      balance_ = static_cast<float>(std::sqrt(mean_query_square / mean_row_square));
  }

  const Metric metric_;
  const bool is_shifted_;
  const std::size_t dim_;
  bool is_integer_ = false;
  float relative_error_ = 0;
  float balance_ = 1;
  std::vector<float> center_;
};

/// Searches for one run of queries, at most queries_per_run of them.
class TileRun {
 public:
  TileRun(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, const KeyRule& rule,
          std::size_t first, std::size_t last, std::size_t k, unsigned workers)
      : target_(target),
        queries_(queries),
        subset_(subset),
        rule_(rule),
        tile_(queries.element() == Element::f32 ? kernels().tile_f32 : kernels().tile_bytes),
        first_(first),
        count_(last - first),
        k_(k),
        rows_(subset.empty() ? target.rows.count : subset.size()),
        panel_bytes_(rounded_up(tile_.row_panel_bytes(target.rows.dim), alignment)),
        panels_(std::max<std::size_t>(1, cache_bytes / panel_bytes_)),
        query_panels_(tile_, count_, target.rows.dim),
        workers_(workers) {
    row_slack_.resize_for_overwrite(subset.empty() ? rows_ : target.rows.count);
    row_slack_.mutable_data();
  }

  std::size_t blocks() const noexcept { return (rows_ + panels_ * tile_.rows - 1) / (panels_ * tile_.rows); }

  void pack_queries(unsigned threads) {
    slacks_.resize(count_);
    parallel_for(query_panels_.panels(), threads, [&](std::size_t panel, unsigned) {
      const std::size_t begin = query_panels_.first(panel);
      const std::byte* vectors[QueryPanels::max_panel_queries];
      std::int32_t starts[QueryPanels::max_panel_queries];
      for (std::size_t i = 0; i < query_panels_.size(panel); ++i) {
        vectors[i] = queries_.query(first_ + begin + i);
        starts[i] = queries_.element() == Element::f32 ? 0 : rule_.start(vectors[i]);
        slacks_[begin + i] = rule_.query(centered_square(vectors[i]), row_slack_.data());
      }
      const void* start = queries_.element() == Element::f32 ? nullptr : starts;
      query_panels_.pack(panel, vectors, queries_.element(), rule_.center(), start);
    });
  }

  /// Searches block `block` of the rows for every query of the run.
  void search_block(std::size_t block, unsigned thread) {
    Worker& worker = workers_[thread];
    if (worker.candidates.empty()) worker.prepare(*this);
    const std::size_t begin = block * panels_ * tile_.rows, end = std::min(rows_, begin + panels_ * tile_.rows);
    pack_block(worker, begin, end);
    std::uint32_t row_masks[16];
    for (std::size_t q = 0; q < query_panels_.panels(); ++q)
      for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p) {
        const std::size_t first_query = query_panels_.first(q);
        std::uint32_t query_mask =
            tile_.multiply(worker.panels.data() + p * panel_bytes_, query_panels_.panel(q), target_.rows.dim,
                           worker.bias.data() + p * tile_.rows, worker.scale.data() + p * tile_.rows,
                           worker.limits.data() + first_query, worker.keys.mutable_data(), row_masks);
        const std::size_t queries = query_panels_.size(q);
        const std::size_t rows = std::min(tile_.rows, end - start);
        for (; query_mask; query_mask &= query_mask - 1) {
          const auto i = static_cast<std::size_t>(std::countr_zero(query_mask));
          if (i < queries)
            collect(worker, first_query + i, row_masks[i], start, rows, worker.keys.data() + i * tile_.rows);
        }
      }
  }

  void finish_queries(unsigned threads, std::span<Neighbor> out) {
    const std::size_t chunk = queries_per_task(k_);
    parallel_for((count_ + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
      std::vector<Candidate> merged;
      std::vector<PreciseNeighbor> scratch;
      for (std::size_t i = task * chunk; i < std::min(count_, (task + 1) * chunk); ++i) {
        merged.clear();
        for (Worker& worker : workers_)
          if (!worker.candidates.empty()) {
            const auto candidates = pool(worker, i).candidates();
            merged.insert(merged.end(), candidates.begin(), candidates.end());
          }
        write_k_nearest(merged, slacks_[i], target_, queries_, first_ + i, out.subspan((first_ + i) * k_, k_), scratch);
      }
    });
  }

 private:
  struct Worker {
    Array<Candidate> candidates;
    std::vector<std::size_t> counts;
    Array<float> limits, bias, scale, keys;
    Array<std::byte> panels;
    std::vector<PreciseNeighbor> scratch;

    void prepare(const TileRun& run) {
      panels.resize_for_overwrite(run.panels_ * run.panel_bytes_);
      bias.resize(run.panels_ * run.tile_.rows);
      scale.resize(run.panels_ * run.tile_.rows);
      keys.resize(run.tile_.rows * run.tile_.queries);
      counts.assign(run.count_, 0);
      // The limits of missing queries in the last panel admit nothing.
      limits.resize(run.count_, infinity);
      limits.resize(rounded_up(run.count_, run.tile_.queries), -infinity);
      candidates.resize_for_overwrite(run.count_ * CandidatePool::capacity_for(run.k_));
    }
  };

  Row row_at(std::size_t position) const { return subset_.empty() ? static_cast<Row>(position) : subset_[position]; }

  CandidatePool pool(Worker& worker, std::size_t i) {
    return {worker.candidates.mutable_data() + i * CandidatePool::capacity_for(k_), worker.counts[i],
            worker.limits.mutable_data()[i], k_};
  }

  double centered_square(const std::byte* query) const {
    const float* center = rule_.center();
    if (!center) return square_of(query);
    const auto* const values = reinterpret_cast<const float*>(query);
    double square = 0;
    for (std::size_t d = 0; d < target_.rows.dim; ++d) {
      const double centered = static_cast<double>(values[d]) - center[d];
      square += centered * centered;
    }
    return square;
  }
  double square_of(const std::byte* query) const {
    return precise_squared_norm(query, queries_.element(), target_.rows.dim);
  }

  void pack_block(Worker& worker, std::size_t begin, std::size_t end) {
    const VectorsView& rows = target_.rows;
    const std::byte* vectors[32];
    float sums[32], squares[32];
    for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p) {
      const std::size_t size = std::min(tile_.rows, end - start);
      for (std::size_t i = 0; i < size; ++i) vectors[i] = rows.row(row_at(start + i));
      std::byte* const panel = worker.panels.mutable_data() + p * panel_bytes_;
      tile_.pack_rows(vectors, rows.element, size, rows.dim, rule_.center(), panel);
      tile_.row_sums(panel, rows.dim, sums, squares);
      for (std::size_t i = 0; i < size; ++i) {
        const Row row = row_at(start + i);
        const float* inverse = target_.inverse_norms ? target_.inverse_norms + row : nullptr;
        rule_.row(sums[i], squares[i], inverse, worker.bias.mutable_data()[p * tile_.rows + i],
                  worker.scale.mutable_data()[p * tile_.rows + i], row_slack_.mutable_data()[row]);
      }
    }
  }

  void collect(Worker& worker, std::size_t i, std::uint32_t mask, std::size_t start, std::size_t rows,
               const float* keys) {
    CandidatePool worker_pool = pool(worker, i);
    for (; mask; mask &= mask - 1) {
      const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
      if (lane >= rows || keys[lane] > worker_pool.limit()) continue;
      worker_pool.push(keys[lane], row_at(start + lane));
      if (!worker_pool.is_full()) continue;
      worker_pool.tighten(slacks_[i]);
      if (worker_pool.candidates().size() > CandidatePool::capacity_for(k_) - 16)
        keep_k_nearest(worker_pool, target_, queries_, first_ + i, k_, worker.scratch);
    }
  }

  const ExactTarget& target_;
  const PreparedQueries& queries_;
  const std::span<const Row> subset_;
  const KeyRule& rule_;
  const TileKernel& tile_;
  const std::size_t first_, count_, k_, rows_, panel_bytes_, panels_;
  QueryPanels query_panels_;
  std::vector<Worker> workers_;
  std::vector<Slack> slacks_;
  Array<float> row_slack_;
};

}  // namespace

void tile_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> subset, std::size_t k,
                 unsigned threads, std::span<Neighbor> out) {
  if (threads == 0) threads = available_threads();
  const KeyRule rule(target, queries, subset);
  const std::size_t batch_size = queries_per_run(k, threads);
  for (std::size_t first = 0; first < queries.count(); first += batch_size) {
    const std::size_t last = std::min(queries.count(), first + batch_size);
    TileRun run(target, queries, subset, rule, first, last, k, threads);
    run.pack_queries(threads);
    parallel_for(run.blocks(), threads, [&](std::size_t block, unsigned thread) { run.search_block(block, thread); });
    run.finish_queries(threads, out);
  }
}

}  // namespace lookalike
