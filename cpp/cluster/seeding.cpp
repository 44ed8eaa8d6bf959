#include "cluster/seeding.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

#include "base/random.hpp"
#include "cluster/exact_argmin.hpp"
#include "kernels/precise.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_together = 512, outlined_together = 256;
constexpr std::size_t sampled_per_cluster = 16, least_sampled = 16384;

/// Rows of a sample and their squared distances from the nearest chosen one.
class Spread {
 public:
  Spread(std::span<const float> points, std::size_t dim, std::vector<Row> sample, const CentroidBounds* bounds,
         unsigned threads)
      : points_(points),
        dim_(dim),
        threads_(threads),
        sample_(std::move(sample)),
        bounds_(bounds),
        squares_(sample_.size(), infinity),
        sums_(sample_.size()) {
    if (bounds) outline();
  }

  Row row(std::size_t place) const { return sample_[place]; }

  /// Measures all from one more. Outlines and kernels say whose squares may shrink at all, doubles by how much: the
  /// same on every instruction set.
  void choose(std::size_t place) {
    const float* const chosen = point(place);
    const auto* const rows = reinterpret_cast<const std::byte*>(points_.data());
    const double trusted = 1 - 2 * static_cast<double>(square_error(dim_));
    parallel_for((sample_.size() + rows_together - 1) / rows_together, threads_, [&](std::size_t task, unsigned) {
      const std::size_t first = task * rows_together, size = std::min(rows_together, sample_.size() - first);
      std::array<std::size_t, rows_together> places;
      std::array<Row, rows_together> picks;
      std::array<float, rows_together> squares;
      const std::size_t near = bounds_ ? pick(place, first, size, places.data()) : size;
      if (!bounds_) std::iota(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(size), first);
      for (std::size_t i = 0; i < near; ++i) picks[i] = sample_[places[i]];
      kernels().squared_l2_f32.gather(chosen, rows, dim_ * sizeof(float), picks.data(), near, dim_, squares.data());
      for (std::size_t i = 0; i < near; ++i) {
        double& known = squares_[places[i]];
        if (static_cast<double>(squares[i]) * trusted > known) continue;
        const auto* const row = reinterpret_cast<const std::byte*>(point(places[i]));
        known = std::min(known, precise_distance(Metric::l2, chosen, row, Element::f32, dim_));
        if (bounds_) limits_[places[i]] = bounds_->code_limit(known, roundings_[places[i]] + rounding_);
      }
    });
    squares_[place] = 0;
  }

  /// A place, likelier the larger its square; where all are 0, the first that is not taken.
  std::size_t draw(Random& random, const std::vector<bool>& taken) {
    double sum = 0;
    for (std::size_t i = 0; i < squares_.size(); ++i) sums_[i] = sum += squares_[i];
    if (sum > 0 && sum < infinity) {
      const auto found = std::upper_bound(sums_.begin(), sums_.end(), random.uniform() * sum);
      const auto place = static_cast<std::size_t>(found - sums_.begin());
      if (place < squares_.size() && !taken[place]) return place;
    }
    return static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
  }

 private:
  const float* point(std::size_t place) const { return points_.data() + sample_[place] * dim_; }

  void outline() {
    codes_.resize(sample_.size() * bounds_->length());
    roundings_.resize(sample_.size());
    limits_.assign(sample_.size(), infinity);
    parallel_for((sample_.size() + outlined_together - 1) / outlined_together, threads_,
                 [&](std::size_t task, unsigned) {
                   const std::size_t first = task * outlined_together,
                                     size = std::min(outlined_together, sample_.size() - first);
                   std::vector<float> rows(size * dim_);
                   for (std::size_t i = 0; i < size; ++i) std::copy_n(point(first + i), dim_, rows.data() + i * dim_);
                   bounds_->encode(rows, codes_.data() + first * bounds_->length(), roundings_.data() + first);
                 });
    rounding_ = *std::max_element(roundings_.begin(), roundings_.end());
  }

  /// The places among `size` from `first` on that may be nearer to `chosen` than to what was chosen before.
  std::size_t pick(std::size_t chosen, std::size_t first, std::size_t size, std::size_t* places) const {
    const std::size_t length = bounds_->length();
    std::array<float, rows_together> squares;
    kernels().squared_l2_s8.scan(codes_.data() + chosen * length,
                                 reinterpret_cast<const std::byte*>(codes_.data() + first * length), length, size,
                                 length, squares.data());
    std::size_t count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      places[count] = first + i;
      count += !(squares[i] > limits_[first + i]);
    }
    return count;
  }

  std::span<const float> points_;
  std::size_t dim_;
  unsigned threads_;
  std::vector<Row> sample_;
  const CentroidBounds* bounds_;
  std::vector<double> squares_, sums_;
  std::vector<std::int8_t> codes_;
  std::vector<float> roundings_, limits_;  // what |z - z_chosen|^2 is at most where a square shrinks
  float rounding_ = 0;
};

}  // namespace

std::vector<Row> random_rows(std::size_t rows, std::size_t count, std::uint64_t seed) {
  // Fisher and Yates' shuffle, of which only what has moved is kept.
  Random random(seed);
  std::unordered_map<std::size_t, std::size_t> moved;
  const auto at = [&](std::size_t place) {
    const auto found = moved.find(place);
    return found == moved.end() ? place : found->second;
  };
  std::vector<Row> chosen(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto other = i + static_cast<std::size_t>(random.uniform() * static_cast<double>(rows - i));
    chosen[i] = static_cast<Row>(at(other));
    moved[other] = at(i);
  }
  return chosen;
}

std::vector<Row> spread_rows(std::span<const float> points, std::size_t dim, std::size_t count, std::uint64_t seed,
                             const CentroidBounds* bounds, unsigned threads) {
  const std::size_t rows = points.size() / dim;
  const std::size_t sampled = std::min(rows, std::max(least_sampled, sampled_per_cluster * count));
  Spread spread(points, dim, random_rows(rows, sampled, seed), bounds, threads);
  Random random(seed ^ 0x737072656164u);
  std::vector<bool> taken(sampled, false);
  std::vector<Row> chosen;
  for (std::size_t place = 0; chosen.size() < count; place = spread.draw(random, taken)) {
    taken[place] = true;
    chosen.push_back(spread.row(place));
    if (chosen.size() == count) break;
    spread.choose(place);
  }
  return chosen;
}

}  // namespace lookalike
