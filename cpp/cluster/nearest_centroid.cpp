#include "cluster/nearest_centroid.hpp"

#include <mutex>
#include <optional>

#include "bounds/centroid_bounds_sample.hpp"
#include "cluster/bound_screen.hpp"
#include "cluster/float_screen.hpp"

namespace lookalike {

/// Created on first use.
struct NearestCentroid::Screens {
  std::mutex mutex;
  std::optional<FloatScreen> floats;
  bool is_trained = false;
  std::unique_ptr<const CentroidBounds> bounds;  // null if bounds do not pay off
  std::optional<BoundScreen> screen;

  const FloatScreen& float_screen(std::span<const float> centroids, std::size_t dim, unsigned threads) {
    const std::lock_guard lock(mutex);
    if (!floats) floats.emplace(centroids, dim, threads);
    return *floats;
  }

  /// Null while calls had too few rows, or if bounds do not pay off.
  const BoundScreen* bound_screen(std::span<const float> centroids, std::size_t dim, std::span<const float> rows,
                                  unsigned threads) {
    const std::lock_guard lock(mutex);
    if (!is_trained && may_pay_off(dim, centroids.size() / dim, rows.size() / dim)) {
      bounds = CentroidBounds::train(rows, dim, centroids, 1, threads);
      if (bounds) screen.emplace(*bounds, centroids, threads);
      is_trained = true;
    }
    return screen ? &*screen : nullptr;
  }
};

NearestCentroid::NearestCentroid(std::span<const float> centroids, std::size_t dim, unsigned threads)
    : centroids_(centroids), dim_(dim), screens_(std::make_unique<Screens>()) {
  static_cast<void>(threads);
}

NearestCentroid::NearestCentroid(NearestCentroid&&) noexcept = default;
NearestCentroid::~NearestCentroid() = default;

void NearestCentroid::assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
                             std::span<float> squares) const {
  if (const BoundScreen* bounds = screens_->bound_screen(centroids_, dim_, rows, threads)) {
    const EncodedPoints points(*screens_->bounds, rows, threads);
    return bounds->assign(points, rows, BoundScreen::Guess::none, threads, labels, squares);
  }
  screens_->float_screen(centroids_, dim_, threads).assign(rows, threads, labels, squares);
}

}  // namespace lookalike
