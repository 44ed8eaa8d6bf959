#include "cluster/nearest_centroid.hpp"

#include "cluster/float_screen.hpp"

namespace lookalike {

NearestCentroid::NearestCentroid(std::span<const float> centroids, std::size_t dim, unsigned threads)
    : centroids_(centroids), dim_(dim), floats_(std::make_unique<FloatScreen>(centroids, dim, threads)) {}

NearestCentroid::NearestCentroid(NearestCentroid&&) noexcept = default;
NearestCentroid::~NearestCentroid() = default;

void NearestCentroid::assign(std::span<const float> rows, unsigned threads, std::span<std::uint32_t> labels,
                             std::span<float> squares) const {
  floats_->assign(rows, threads, labels, squares);
}

}  // namespace lookalike
