// The nearest centroid of every row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lookalike {

/// Made once from centroids (rows of `dim` finite floats, which it borrows), used for many rows. The answer is exact:
/// by distances as they are, ties to the lower number; so it depends on neither threads nor instruction set.
class NearestCentroid {
 public:
  NearestCentroid(std::span<const float> centroids, std::size_t dim, unsigned threads);
  NearestCentroid(NearestCentroid&&) noexcept;
  ~NearestCentroid();

  /// Writes the number of each row's nearest centroid and, unless `squares` is empty, its squared distance. Rows are
  /// finite. The first many rows teach it how to be fast. May be called from several threads at once.
  void assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
              std::span<float> squares) const;

  std::size_t count() const noexcept { return centroids_.size() / dim_; }

 private:
  struct Screens;
  std::span<const float> centroids_;
  std::size_t dim_;
  std::unique_ptr<Screens> screens_;
};

}  // namespace lookalike
