// Many queries: a blocked matrix product whose sums are compared with each query's limit while they are in registers,
// so that no distance matrix is ever written. Rows are packed into panels a block at a time; each thread keeps its own
// candidates, and what they agree on is measured precisely at the end.
#include <algorithm>
#include <bit>
#include <cmath>

#include "exact/parts.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t cache_bytes = 384 * 1024;  // of packed rows: they stay in the second cache while queries pass

/// Where squared norms stay below this, products do not overflow on their way to a key.
constexpr float largest_product = 1e37f;

std::size_t rounded_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// What a key is made of, and how wrong it may be. See Slack.
class KeyRule {
 public:
  KeyRule(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks)
      : metric_(target.metric), shifted_(queries.element() == Element::u8), dim_(target.rows.dim) {
    bytes_ = queries.element() != Element::f32;
    error_ = bytes_ ? integer_error : summation_error(dim_);
    const std::size_t rows = picks.empty() ? target.rows.count : picks.size();
    const std::size_t samples = std::min<std::size_t>(rows, 128);
    const auto sample = [&](std::size_t i) {
      const std::size_t place = i * (rows / samples);
      return target.rows.row(picks.empty() ? static_cast<Row>(place) : picks[place]);
    };
    if (metric_ == Metric::l2 && !bytes_) find_center(target, samples, sample);
    if (metric_ == Metric::ip) balance(target, queries, samples, sample);
  }

  /// Subtracted from rows and queries alike: distances stay, norms and with them rounding errors shrink.
  const float* center() const noexcept { return center_.empty() ? nullptr : center_.data(); }

  /// From a packed row's sums (of shifted elements, see TileKernel) to its bias, scale and slack.
  void row(float sum, float square, const float* inverse_norm, float& bias, float& scale, float& slack) const {
    const float shift = shifted_ ? 128 * sum : 0;
    switch (metric_) {
      case Metric::l2:
        scale = 2;
        slack = 2 * error_ * square;
        bias = square - slack;
        return;
      case Metric::ip: {
        const float full = shifted_ ? square + 256 * sum + 16384.0f * static_cast<float>(dim_) : square;
        scale = 1;
        slack = balance_ * full / 2 < largest_product ? error_ * (balance_ * full / 2 + std::abs(shift)) : infinity;
        bias = -shift - slack;
        return;
      }
      case Metric::cosine:
        scale = *inverse_norm;
        slack = square < largest_product ? (error_ * std::abs(shift) + underflow(dim_)) * scale : infinity;
        bias = -shift * scale - slack;
        return;
      case Metric::hamming: return;
    }
  }

  Slack query(double square, const float* row_slack) const {
    // Shifted bytes are multiplied for l2, so it is their square that rounding is measured by.
    if (metric_ == Metric::l2 && shifted_) square = 16384.0 * static_cast<double>(dim_);
    const double size = metric_ == Metric::ip ? square / (2 * balance_) : square;
    double slack = underflow(dim_) + error_ * (metric_ == Metric::cosine ? std::sqrt(size) : size);
    if (!(size < largest_product)) slack = infinity;
    return {.relative = 0, .rows = row_slack, .query = static_cast<float>(slack)};
  }

  /// What a byte tile's sums start from, so that they end as the product of the unshifted elements but for the row's.
  std::int32_t start(const std::byte* query) const {
    if (metric_ == Metric::l2 || !shifted_) return 0;
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
    Array<float> panel;  // packing one row is the tiles' own way to floats
    panel.resize_for_overwrite(tile.row_panel_bytes(dim_) / sizeof(float));
    for (std::size_t i = 0; i < samples; ++i) {
      rows[0] = sample(i);
      tile.pack_rows(rows, target.rows.element, 1, dim_, nullptr, panel.mutable_data());
      for (std::size_t d = 0; d < dim_; ++d) sums[d] += panel[d * tile.rows];
    }
    for (const double sum : sums) center_.push_back(static_cast<float>(sum / static_cast<double>(samples)));
  }

  /// |q||x| <= (q^2 / b + b x^2) / 2: with b near |q| / |x| little is given away.
  template <class Sample>
  void balance(const ExactTarget& target, const PreparedQueries& queries, std::size_t samples, Sample sample) {
    double rows = 0, asked = 0;
    for (std::size_t i = 0; i < samples; ++i)
      rows += precise_square(sample(i), target.rows.element, dim_) / static_cast<double>(samples);
    const std::size_t of_queries = std::min<std::size_t>(queries.count(), 128);
    for (std::size_t i = 0; i < of_queries; ++i) asked += queries.square(i) / static_cast<double>(of_queries);
    if (rows > 0 && asked > 0) balance_ = static_cast<float>(std::sqrt(asked / rows));
  }

  const Metric metric_;
  const bool shifted_;
  const std::size_t dim_;
  bool bytes_ = false;
  float error_ = 0;
  float balance_ = 1;
  std::vector<float> center_;
};

/// A run of at most queries_at_once queries against all rows.
class TileRun {
 public:
  TileRun(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, const KeyRule& rule,
          std::size_t first, std::size_t last, std::size_t k, unsigned workers)
      : target_(target),
        queries_(queries),
        picks_(picks),
        rule_(rule),
        tile_(queries.element() == Element::f32 ? kernels().tile_f32 : kernels().tile_bytes),
        first_(first),
        count_(last - first),
        k_(k),
        rows_(picks.empty() ? target.rows.count : picks.size()),
        panel_bytes_(rounded_up(tile_.row_panel_bytes(target.rows.dim), alignment)),
        panels_(std::max<std::size_t>(1, cache_bytes / panel_bytes_)),
        query_panels_(tile_, count_, target.rows.dim),
        workers_(workers) {
    row_slack_.resize_for_overwrite(picks.empty() ? rows_ : target.rows.count);
    row_slack_.mutable_data();
  }

  std::size_t blocks() const noexcept { return (rows_ + panels_ * tile_.rows - 1) / (panels_ * tile_.rows); }

  void pack_queries(unsigned threads) {
    slack_.resize(count_);
    parallel_for(query_panels_.panels(), threads, [&](std::size_t panel, unsigned) {
      const std::size_t begin = query_panels_.first(panel);
      const std::byte* vectors[QueryPanels::most_queries];
      std::int32_t starts[QueryPanels::most_queries];
      for (std::size_t i = 0; i < query_panels_.size(panel); ++i) {
        vectors[i] = queries_.query(first_ + begin + i);
        starts[i] = queries_.element() == Element::f32 ? 0 : rule_.start(vectors[i]);
        slack_[begin + i] = rule_.query(centered_square(vectors[i]), row_slack_.data());
      }
      const void* start = queries_.element() == Element::f32 ? nullptr : starts;
      query_panels_.pack(panel, vectors, queries_.element(), rule_.center(), start);
    });
  }

  /// Block `block` of the rows against every query of the run.
  void search_block(std::size_t block, unsigned worker) {
    Worker& mine = workers_[worker];
    if (mine.held.empty()) mine.prepare(*this);
    const std::size_t begin = block * panels_ * tile_.rows, end = std::min(rows_, begin + panels_ * tile_.rows);
    pack_block(mine, begin, end);
    std::uint32_t masks[16];
    for (std::size_t q = 0; q < query_panels_.panels(); ++q)
      for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p) {
        const std::size_t first_query = query_panels_.first(q);
        std::uint32_t hit =
            tile_.multiply(mine.panels.data() + p * panel_bytes_, query_panels_.panel(q), target_.rows.dim,
                           mine.bias.data() + p * tile_.rows, mine.scale.data() + p * tile_.rows,
                           mine.limits.data() + first_query, mine.keys.mutable_data(), masks);
        const std::size_t queries = query_panels_.size(q);
        const std::size_t rows = std::min(tile_.rows, end - start);
        for (; hit; hit &= hit - 1) {
          const auto i = static_cast<std::size_t>(std::countr_zero(hit));
          if (i < queries) take(mine, first_query + i, masks[i], start, rows, mine.keys.data() + i * tile_.rows);
        }
      }
  }

  void finish_queries(unsigned threads, std::span<Neighbor> out) {
    const std::size_t chunk = finished_together(k_);
    parallel_for((count_ + chunk - 1) / chunk, threads, [&](std::size_t task, unsigned) {
      std::vector<Candidate> merged;
      std::vector<Measured> scratch;
      for (std::size_t i = task * chunk; i < std::min(count_, (task + 1) * chunk); ++i) {
        merged.clear();
        for (Worker& worker : workers_)
          if (!worker.held.empty()) {
            const auto held = pool(worker, i).held();
            merged.insert(merged.end(), held.begin(), held.end());
          }
        finish(merged, slack_[i], target_, queries_, first_ + i, out.subspan((first_ + i) * k_, k_), scratch);
      }
    });
  }

 private:
  struct Worker {
    Array<Candidate> held;
    std::vector<std::size_t> counts;
    Array<float> limits, bias, scale, keys;
    Array<std::byte> panels;
    std::vector<Measured> scratch;

    void prepare(const TileRun& run) {
      panels.resize_for_overwrite(run.panels_ * run.panel_bytes_);
      bias.resize(run.panels_ * run.tile_.rows);
      scale.resize(run.panels_ * run.tile_.rows);
      keys.resize(run.tile_.rows * run.tile_.queries);
      counts.assign(run.count_, 0);
      // A panel's missing queries admit nothing.
      limits.resize(run.count_, infinity);
      limits.resize(rounded_up(run.count_, run.tile_.queries), -infinity);
      held.resize_for_overwrite(run.count_ * CandidatePool::capacity_for(run.k_));
    }
  };

  Row row_at(std::size_t place) const { return picks_.empty() ? static_cast<Row>(place) : picks_[place]; }

  CandidatePool pool(Worker& worker, std::size_t i) {
    return {worker.held.mutable_data() + i * CandidatePool::capacity_for(k_), worker.counts[i],
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
  double square_of(const std::byte* query) const { return precise_square(query, queries_.element(), target_.rows.dim); }

  void pack_block(Worker& mine, std::size_t begin, std::size_t end) {
    const VectorsView& rows = target_.rows;
    const std::byte* vectors[32];
    float sums[32], squares[32];
    for (std::size_t start = begin, p = 0; start < end; start += tile_.rows, ++p) {
      const std::size_t size = std::min(tile_.rows, end - start);
      for (std::size_t i = 0; i < size; ++i) vectors[i] = rows.row(row_at(start + i));
      std::byte* const panel = mine.panels.mutable_data() + p * panel_bytes_;
      tile_.pack_rows(vectors, rows.element, size, rows.dim, rule_.center(), panel);
      tile_.row_sums(panel, rows.dim, sums, squares);
      for (std::size_t i = 0; i < size; ++i) {
        const Row row = row_at(start + i);
        const float* inverse = target_.inverse_norms ? target_.inverse_norms + row : nullptr;
        rule_.row(sums[i], squares[i], inverse, mine.bias.mutable_data()[p * tile_.rows + i],
                  mine.scale.mutable_data()[p * tile_.rows + i], row_slack_.mutable_data()[row]);
      }
    }
  }

  void take(Worker& mine, std::size_t i, std::uint32_t mask, std::size_t start, std::size_t rows, const float* keys) {
    CandidatePool held = pool(mine, i);
    for (; mask; mask &= mask - 1) {
      const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
      if (lane >= rows || keys[lane] > held.limit()) continue;
      held.push(keys[lane], row_at(start + lane));
      if (!held.is_full()) continue;
      held.tighten(slack_[i]);
      if (held.held().size() > CandidatePool::capacity_for(k_) - 16)
        exact_argmin(held, target_, queries_, first_ + i, k_, mine.scratch);
    }
  }

  const ExactTarget& target_;
  const PreparedQueries& queries_;
  const std::span<const Row> picks_;
  const KeyRule& rule_;
  const TileKernel& tile_;
  const std::size_t first_, count_, k_, rows_, panel_bytes_, panels_;
  QueryPanels query_panels_;
  std::vector<Worker> workers_;
  std::vector<Slack> slack_;
  Array<float> row_slack_;
};

}  // namespace

void tile_search(const ExactTarget& target, const PreparedQueries& queries, std::span<const Row> picks, std::size_t k,
                 unsigned threads, std::span<Neighbor> out) {
  if (threads == 0) threads = available_threads();
  const KeyRule rule(target, queries, picks);
  const std::size_t together = queries_together(k, threads);
  for (std::size_t first = 0; first < queries.count(); first += together) {
    const std::size_t last = std::min(queries.count(), first + together);
    TileRun run(target, queries, picks, rule, first, last, k, threads);
    run.pack_queries(threads);
    parallel_for(run.blocks(), threads, [&](std::size_t block, unsigned worker) { run.search_block(block, worker); });
    run.finish_queries(threads, out);
  }
}

}  // namespace lookalike
