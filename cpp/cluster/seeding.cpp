#include "cluster/seeding.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/random.hpp"
#include "cluster/settle.hpp"
#include "kernels/precise.hpp"
#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_together = 512;
constexpr std::size_t sampled_per_cluster = 16, least_sampled = 16384;

/// Rows of a sample and their squared distances from the nearest chosen one.
class Spread {
 public:
  Spread(std::span<const float> points, std::size_t dim, std::vector<Row> sample, unsigned threads)
      : points_(points),
        dim_(dim),
        threads_(threads),
        sample_(std::move(sample)),
        squares_(sample_.size(), std::numeric_limits<double>::infinity()),
        sums_(sample_.size()) {}

  Row row(std::size_t place) const { return sample_[place]; }

  /// What the squares would become. Kernels say which can shrink at all, doubles by how much: the same on every
  /// instruction set.
  void choose(std::size_t place) {
    const float* const chosen = points_.data() + sample_[place] * dim_;
    const auto* const rows = reinterpret_cast<const std::byte*>(points_.data());
    const std::size_t stride = dim_ * sizeof(float);
    parallel_for((sample_.size() + rows_together - 1) / rows_together, threads_, [&](std::size_t task, unsigned) {
      const std::size_t first = task * rows_together, size = std::min(rows_together, sample_.size() - first);
      float squares[rows_together];
      kernels().squared_l2_f32.gather(chosen, rows, stride, sample_.data() + first, size, dim_, squares);
      for (std::size_t i = 0; i < size; ++i) {
        double& known = squares_[first + i];
        if (static_cast<double>(squares[i]) * (1 - 2 * static_cast<double>(square_error(dim_))) > known) continue;
        const auto* const row = rows + sample_[first + i] * stride;
        known = std::min(known, precise_distance(Metric::l2, chosen, row, Element::f32, dim_));
      }
    });
    squares_[place] = 0;
  }

  /// A place, likelier the larger its square; where all are 0, the first that is not taken.
  std::size_t draw(Random& random, const std::vector<bool>& taken) {
    double sum = 0;
    for (std::size_t i = 0; i < squares_.size(); ++i) sums_[i] = sum += squares_[i];
    if (sum > 0 && sum < std::numeric_limits<double>::infinity()) {
      const auto found = std::upper_bound(sums_.begin(), sums_.end(), random.uniform() * sum);
      const auto place = static_cast<std::size_t>(found - sums_.begin());
      if (place < squares_.size() && !taken[place]) return place;
    }
    return static_cast<std::size_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
  }

 private:
  std::span<const float> points_;
  std::size_t dim_;
  unsigned threads_;
  std::vector<Row> sample_;
  std::vector<double> squares_, sums_;
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
                             unsigned threads) {
  const std::size_t rows = points.size() / dim;
  const std::size_t sampled = std::min(rows, std::max(least_sampled, sampled_per_cluster * count));
  Spread spread(points, dim, random_rows(rows, sampled, seed), threads);
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
