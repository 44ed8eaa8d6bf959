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

constexpr std::size_t points_per_pass = 512, encoded_rows_per_task = 256;
constexpr std::size_t sampled_rows_per_cluster = 16, min_sampled_rows = 16384;

/// Sampled rows and their squared distances to the nearest chosen row.
class SeedSampler {
 public:
  SeedSampler(std::span<const float> points, std::size_t dim, std::vector<Row> sample, const CentroidBounds* bounds,
              unsigned threads)
      : points_(points),
        dim_(dim),
        threads_(threads),
        sample_(std::move(sample)),
        bounds_(bounds),
        squares_(sample_.size(), infinity),
        sums_(sample_.size()) {
    if (bounds) encode_sample();
  }

  Row row(std::size_t place) const { return sample_[place]; }

  /// Chooses a row and lowers the squared distances of the others. Lower-bound codes and float kernels only prune; the
  /// distances are computed in double, so they are the same for every instruction set.
  void choose(std::size_t place) {
    const float* const chosen = point(place);
    const auto* const rows = reinterpret_cast<const std::byte*>(points_.data());
    const double lower_bound_factor = 1 - 2 * static_cast<double>(square_error(dim_));
    parallel_for((sample_.size() + points_per_pass - 1) / points_per_pass, threads_, [&](std::size_t task, unsigned) {
      const std::size_t first = task * points_per_pass, size = std::min(points_per_pass, sample_.size() - first);
      std::array<std::size_t, points_per_pass> places;
      std::array<Row, points_per_pass> picks;
      std::array<float, points_per_pass> squares;
      const std::size_t survivors = bounds_ ? unpruned(place, first, size, places.data()) : size;
      if (!bounds_) std::iota(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(size), first);
      for (std::size_t i = 0; i < survivors; ++i) picks[i] = sample_[places[i]];
      kernels().squared_l2_f32.gather(chosen, rows, dim_ * sizeof(float), picks.data(), survivors, dim_,
                                      squares.data());
      for (std::size_t i = 0; i < survivors; ++i) {
        double& current = squares_[places[i]];
        if (static_cast<double>(squares[i]) * lower_bound_factor > current) continue;
        const auto* const row = reinterpret_cast<const std::byte*>(point(places[i]));
        current = std::min(current, precise_distance(Metric::l2, chosen, row, Element::f32, dim_));
        if (bounds_)
          limits_[places[i]] = bounds_->code_limit(current, rounding_errors_[places[i]] + max_rounding_error_);
      }
    });
    squares_[place] = 0;
  }

  /// Draws a place with a probability proportional to its square. If all are 0, returns the first that is not taken.
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

  void encode_sample() {
    codes_.resize(sample_.size() * bounds_->length());
    rounding_errors_.resize(sample_.size());
    limits_.assign(sample_.size(), infinity);
    parallel_for((sample_.size() + encoded_rows_per_task - 1) / encoded_rows_per_task, threads_,
                 [&](std::size_t task, unsigned) {
                   const std::size_t first = task * encoded_rows_per_task,
                                     size = std::min(encoded_rows_per_task, sample_.size() - first);
                   std::vector<float> rows(size * dim_);
                   for (std::size_t i = 0; i < size; ++i) std::copy_n(point(first + i), dim_, rows.data() + i * dim_);
                   bounds_->encode(rows, codes_.data() + first * bounds_->length(), rounding_errors_.data() + first);
                 });
    max_rounding_error_ = *std::max_element(rounding_errors_.begin(), rounding_errors_.end());
  }

  /// Writes the places in [first, first + size) that may be nearer to `chosen` than to the rows chosen before.
  std::size_t unpruned(std::size_t chosen, std::size_t first, std::size_t size, std::size_t* places) const {
    const std::size_t length = bounds_->length();
    std::array<float, points_per_pass> squares;
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
  std::vector<float> rounding_errors_;
  std::vector<float> limits_;  // per row: the largest code distance at which its square can still decrease
  float max_rounding_error_ = 0;
};

}  // namespace

std::vector<Row> random_rows(std::size_t rows, std::size_t count, std::uint64_t seed) {
  // Fisher-Yates shuffle; only the entries that were swapped are stored.
  Random random(seed);
  std::unordered_map<std::size_t, std::size_t> swapped;
  const auto at = [&](std::size_t place) {
    const auto found = swapped.find(place);
    return found == swapped.end() ? place : found->second;
  };
  std::vector<Row> chosen(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto other = i + static_cast<std::size_t>(random.uniform() * static_cast<double>(rows - i));
    chosen[i] = static_cast<Row>(at(other));
    swapped[other] = at(i);
  }
  return chosen;
}

std::vector<Row> kmeans_plus_plus_rows(std::span<const float> points, std::size_t dim, std::size_t count,
                                       std::uint64_t seed, const CentroidBounds* bounds, unsigned threads) {
  const std::size_t rows = points.size() / dim;
  const std::size_t sampled = std::min(rows, std::max(min_sampled_rows, sampled_rows_per_cluster * count));
  SeedSampler sampler(points, dim, random_rows(rows, sampled, seed), bounds, threads);
  Random random(seed ^ 0x737072656164u);
  std::vector<bool> taken(sampled, false);
  std::vector<Row> chosen;
  for (std::size_t place = 0; chosen.size() < count; place = sampler.draw(random, taken)) {
    taken[place] = true;
    chosen.push_back(sampler.row(place));
    if (chosen.size() == count) break;
    sampler.choose(place);
  }
  return chosen;
}

}  // namespace lookalike
