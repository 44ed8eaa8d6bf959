#include "cluster/nearest_centroid.hpp"

#include <mutex>
#include <optional>

#include "bounds/centroid_bounds_length.hpp"
#include "cluster/bound_screen.hpp"
#include "cluster/float_screen.hpp"

namespace lookalike {

/// Made when first needed.
struct NearestCentroid::Screens {
  std::mutex making;
  std::optional<FloatScreen> floats;
  bool has_learned = false;
  std::unique_ptr<const CentroidBounds> bounds;  // null where bounds do not pay
  std::optional<BoundScreen> screen;

  const FloatScreen& plain(std::span<const float> centroids, std::size_t dim, unsigned threads) {
    const std::lock_guard lock(making);
    if (!floats) floats.emplace(centroids, dim, threads);
    return *floats;
  }

  /// Null where many rows are not enough, or bounds do not pay.
  const BoundScreen* bounded(std::span<const float> centroids, std::size_t dim, std::span<const float> rows,
                             unsigned threads) {
    const std::lock_guard lock(making);
    if (!has_learned && may_pay(dim, centroids.size() / dim, rows.size() / dim)) {
      bounds = CentroidBounds::learn(rows, dim, centroids, 1, threads);
      if (bounds) screen.emplace(*bounds, centroids, threads);
      has_learned = true;
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
  if (const BoundScreen* bounds = screens_->bounded(centroids_, dim_, rows, threads)) {
    const BoundedPoints points(*screens_->bounds, rows, threads);
    return bounds->assign(points, rows, BoundScreen::Guess::none, threads, labels, squares);
  }
  screens_->plain(centroids_, dim_, threads).assign(rows, threads, labels, squares);
}

}  // namespace lookalike
