// k-means: centroids that have the least sum of squared distances to the points they are nearest to, nearly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookalike {

/// Where the centroids are before the first iteration.
enum class Seeding : std::uint8_t {
  random,  // on distinct rows, all equally likely
  spread,  // k-means++: rows likelier the farther they lie from those chosen before [Arthur and Vassilvitskii 2007]
};

struct KMeansSettings {
  std::size_t clusters = 8;
  std::size_t iterations = 25;  // at most
  /// Iterations end when the squares of all centroids' moves sum to at most this times the mean variance of a
  /// coordinate.
  double tolerance = 1e-4;
  std::uint64_t seed = 0;
  /// 0: clusters are as long as they come. Else none is longer than so many times the mean, at least 1, or than that
  /// rounded up where it is no whole number; what is too much for one goes to the nearest with room.
  double most_imbalance = 0;
  Seeding seeding = Seeding::random;
};

struct Clustering {
  std::vector<float> centroids;       // clusters x dim
  std::vector<std::uint32_t> labels;  // one a point: its nearest centroid, or a near one where that cluster is full
  double objective = 0;               // the sum of squared distances of points from the centroids of their clusters
  std::size_t iterations = 0;
};

/// Clusters dense rows of `dim` finite floats by Lloyd's iterations, each of which finds the nearest centroid of every
/// point exactly. `initial` centroids (clusters x dim) take the place of seeding where given. A cluster that loses all
/// points is put where another one is worst, as long as there is a point that is not a centroid; with fewer distinct
/// points than clusters, some stay empty. The same bytes come out for any number of threads and every instruction set.
/// Throws InvalidArgument for fewer points than clusters and for settings that cannot be, and Interrupted.
Clustering kmeans(std::span<const float> points, std::size_t dim, const KMeansSettings& settings, unsigned threads,
                  std::span<const float> initial = {});

}  // namespace lookalike
