// Assigns rows to their nearest centroids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lookalike {

/// Borrows the centroids (rows of `dim` finite floats). Assignments are exact, and ties take the lower centroid, so the
/// result does not depend on the number of threads or the instruction set.
class NearestCentroid {
 public:
  NearestCentroid(std::span<const float> centroids, std::size_t dim, unsigned threads);
  NearestCentroid(NearestCentroid&&) noexcept;
  ~NearestCentroid();

  /// Writes the number of each row's nearest centroid and, unless `squares` is empty, its squared distance. Rows are
  /// finite. Trains lower-bound codes on the first call with enough rows. Thread-safe.
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
