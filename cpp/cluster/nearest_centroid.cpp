#include "cluster/nearest_centroid.hpp"

#include <mutex>
#include <optional>

#include "cluster/float_screen.hpp"
#include "cluster/outline_length.hpp"
#include "cluster/outline_screen.hpp"

namespace lookalike {

/// Made when first needed.
struct NearestCentroid::Screens {
  std::mutex making;
  std::optional<FloatScreen> floats;
  bool has_learned = false;
  std::unique_ptr<const OutlineSpace> space;  // null where outlines do not pay
  std::optional<OutlineScreen> outlines;

  const FloatScreen& plain(std::span<const float> centroids, std::size_t dim, unsigned threads) {
    const std::lock_guard lock(making);
    if (!floats) floats.emplace(centroids, dim, threads);
    return *floats;
  }

  /// Null where many rows are not enough, or outlines do not pay.
  const OutlineScreen* outlined(std::span<const float> centroids, std::size_t dim, std::span<const float> rows,
                                unsigned threads) {
    const std::lock_guard lock(making);
    if (!has_learned && may_pay(dim, centroids.size() / dim, rows.size() / dim)) {
      space = OutlineSpace::learn(rows, dim, centroids, 1, threads);
      if (space) outlines.emplace(*space, centroids, threads);
      has_learned = true;
    }
    return outlines ? &*outlines : nullptr;
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
  if (const OutlineScreen* outlines = screens_->outlined(centroids_, dim_, rows, threads)) {
    const OutlinedPoints points(*screens_->space, rows, threads);
    return outlines->assign(points, rows, OutlineScreen::Guess::none, threads, labels, squares);
  }
  screens_->plain(centroids_, dim_, threads).assign(rows, threads, labels, squares);
}

}  // namespace lookalike
