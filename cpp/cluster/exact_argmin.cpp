#include "cluster/exact_argmin.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/precise.hpp"
#include "kernels/table.hpp"

namespace lookalike {
namespace {

const std::byte* bytes(const float* values) { return reinterpret_cast<const std::byte*>(values); }

/// Recomputes in double the distances that may be the smallest, given the kernels' error bound.
template <class CentroidOf>
CentroidMatch refine(const float* point, const float* centroids, std::size_t dim, std::span<const float> squares,
                     CentroidOf centroid_of) {
  float smallest = std::numeric_limits<float>::infinity();
  for (const float square : squares) smallest = std::min(smallest, square);
  const float underflow =
      static_cast<float>(dim) * std::numeric_limits<float>::min();  // absolute error if products underflow
  const float limit = smallest * (1 + 2.1f * square_error(dim)) + underflow;
  std::size_t candidates = 0, last = 0;
  for (std::size_t i = 0; i < squares.size(); ++i)
    if (!(squares[i] > limit)) ++candidates, last = i;
  if (candidates == 1) return {centroid_of(last), squares[last]};
  double best = std::numeric_limits<double>::infinity();
  std::size_t winner = last;
  for (std::size_t i = 0; i < squares.size(); ++i) {
    if (squares[i] > limit) continue;
    const float* const centroid = centroids + centroid_of(i) * dim;
    const double square = precise_distance(Metric::l2, point, bytes(centroid), Element::f32, dim);
    if (!(square < best)) continue;
    best = square;
    winner = i;
  }
  return {centroid_of(winner), squares[winner]};
}

}  // namespace

CentroidMatch exact_argmin(const float* point, const float* centroids, std::size_t dim, std::span<const Row> picks,
                           std::vector<float>& scratch) {
  scratch.resize(std::max(scratch.size(), picks.size()));
  kernels().squared_l2_f32.gather(point, bytes(centroids), dim * sizeof(float), picks.data(), picks.size(), dim,
                                  scratch.data());
  return refine(point, centroids, dim, {scratch.data(), picks.size()}, [&](std::size_t i) { return picks[i]; });
}

CentroidMatch exact_argmin_all(const float* point, const float* centroids, std::size_t dim, std::size_t count,
                               std::vector<float>& scratch) {
  scratch.resize(std::max(scratch.size(), count));
  kernels().squared_l2_f32.scan(point, bytes(centroids), dim * sizeof(float), count, dim, scratch.data());
  return refine(point, centroids, dim, {scratch.data(), count},
                [](std::size_t i) { return static_cast<std::uint32_t>(i); });
}

}  // namespace lookalike
