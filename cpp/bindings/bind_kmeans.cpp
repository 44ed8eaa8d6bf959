#include "bindings/bind_kmeans.hpp"

#include <pybind11/numpy.h>

#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "cluster/kmeans.hpp"
#include "cluster/nearest_centroid.hpp"
#include "rows/values.hpp"

namespace lookalike {
namespace {

using namespace pybind11::literals;

/// Vectors as dense floats, copied only if they are not dense floats already. Throws unless all values are finite.
class Floats {
 public:
  Floats(const VectorsView& vectors, const char* argument, unsigned threads) {
    require_finite(vectors, argument, threads);
    const std::size_t values = vectors.count * vectors.dim;
    if (vectors.element == Element::f32 && (vectors.stride == vectors.dim * sizeof(float) || vectors.count < 2)) {
      values_ = {reinterpret_cast<const float*>(vectors.data), values};
      return;
    }
    copy_.resize_for_overwrite(values);
    convert(vectors, Element::f32, reinterpret_cast<std::byte*>(copy_.mutable_data()), threads);
    values_ = copy_.span();
  }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  std::span<const float> values() const noexcept { return values_; }

 private:
  Array<float> copy_;
  std::span<const float> values_;
};

template <class T>
py::array_t<T> to_array(const std::vector<T>& values, std::vector<py::ssize_t> shape) {
  return py::array_t<T>(std::move(shape), values.data());
}

py::tuple run(const py::array& vectors, std::size_t clusters, std::size_t iterations, double tolerance,
              std::uint64_t seed, double most_imbalance, const py::object& start, unsigned threads) {
  const VectorsView view = view_of(vectors, Metric::l2, "X");
  KMeansSettings settings{.clusters = clusters,
                          .iterations = iterations,
                          .tolerance = tolerance,
                          .seed = seed,
                          .max_imbalance = most_imbalance};
  py::array given;
  VectorsView initial{.dim = view.dim};
  if (py::isinstance<py::str>(start)) {
    settings.seeding = start.cast<std::string>() == "random" ? Seeding::random : Seeding::plus_plus;
  } else {
    given = start;
    initial = view_of(given, Metric::l2, "init");
  }
  if (initial.dim != view.dim)
    throw DimensionMismatch("init is of dim " + std::to_string(initial.dim) + " where X is of dim " +
                            std::to_string(view.dim));
  const Clustering found = without_gil([&] {
    const Floats initial_values(initial, "init", threads);
    const Floats points(view, "X", threads);
    return kmeans(points.values(), view.dim, settings, threads, initial_values.values());
  });
  const auto dim = static_cast<py::ssize_t>(view.dim);
  return py::make_tuple(to_array(found.centroids, {static_cast<py::ssize_t>(clusters), dim}),
                        to_array(found.labels, {static_cast<py::ssize_t>(view.count)}), found.objective,
                        found.iterations);
}

py::tuple nearest(const py::array& centroids, const py::array& vectors, unsigned threads) {
  const VectorsView centers = view_of(centroids, Metric::l2, "centroids"), view = view_of(vectors, Metric::l2, "X");
  if (centers.dim != view.dim)
    throw DimensionMismatch("X is of dim " + std::to_string(view.dim) + " where the centroids are of dim " +
                            std::to_string(centers.dim));
  if (centers.count == 0) throw InvalidArgument("centroids is empty; it must hold at least one centroid");
  std::vector<std::uint32_t> labels(view.count);
  std::vector<float> squares(view.count);
  without_gil([&] {
    const Floats center_values(centers, "centroids", threads), points(view, "X", threads);
    NearestCentroid(center_values.values(), view.dim, threads).assign(points.values(), threads, labels, squares);
  });
  const auto count = static_cast<py::ssize_t>(view.count);
  return py::make_tuple(to_array(labels, {count}), to_array(squares, {count}));
}

}  // namespace

void bind_kmeans(py::module_& module) {
  module.def("kmeans", &run, "vectors"_a, "clusters"_a, "iterations"_a, "tolerance"_a, "seed"_a, "most_imbalance"_a,
             "start"_a, "threads"_a);
  module.def("nearest_centroids", &nearest, "centroids"_a, "vectors"_a, "threads"_a);
}

}  // namespace lookalike
