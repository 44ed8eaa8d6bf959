// k-means clustering by Lloyd's algorithm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// The initial centroids.
enum class Seeding : std::uint8_t {
  random,     // distinct rows, chosen uniformly
  plus_plus,  // k-means++ [Arthur and Vassilvitskii 2007]
};

struct KMeansSettings {
  std::size_t clusters = 8;
  std::size_t iterations = 25;  // at most
  /// Iterations end when the sum of the centroids' squared shifts is at most this times the mean variance of the
  /// coordinates.
  double tolerance = 1e-4;
  std::uint64_t seed = 0;
  /// The largest allowed ratio of a cluster's size to the mean size, at least 1; 0: no limit. Points of overfull
  /// clusters move to the nearest cluster that is not full. The limit is never below the mean size rounded up.
  double max_imbalance = 0;
  Seeding seeding = Seeding::random;
};

struct Clustering {
  std::vector<float> centroids;       // clusters x dim
  std::vector<std::uint32_t> labels;  // per point: its nearest centroid, or a farther one if that cluster is full
  double objective = 0;               // the sum of squared distances of points to the centroids of their labels
  std::size_t iterations = 0;
};

/// Clusters dense rows of `dim` finite floats by Lloyd's algorithm with exact assignments. `initial` centroids
/// (clusters x dim), if given, replace seeding. A cluster that loses all points restarts at the farthest point of the
/// cluster with the largest cost. With fewer distinct points than clusters, some clusters stay empty. The result does
/// not depend on the number of threads or the instruction set. Throws InvalidArgument for fewer points than clusters
/// and for invalid settings, and Interrupted.
Clustering kmeans(std::span<const float> points, std::size_t dim, const KMeansSettings& settings, unsigned threads,
                  std::span<const float> initial = {});

}  // namespace lookalike
