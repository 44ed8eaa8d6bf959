// NumPy arrays and Python ids as the core sees them, and back. Exact dtypes or a refusal: the Python face coerces.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <utility>

#include "base/array.hpp"
#include "base/vectors_view.hpp"
#include "index/core/answer.hpp"
#include "index/core/where.hpp"
#include "rows/id_map.hpp"

namespace lookalike {

namespace py = pybind11;

/// float32, float16, uint8 or int8, one or two axes, elements of a row side by side; an empty axis
/// is no vector, any other one axis one. uint8 counts as packed bits for
/// Metric::hamming.
VectorsView view_of(const py::array& vectors, Metric metric, const char* argument);

/// Ids given as an int64 array, a list of str, or a single int or str, kept alive.
class IdsArgument {
 public:
  explicit IdsArgument(const py::handle& ids);
  IdsArgument(const IdsArgument&) = delete;
  IdsArgument& operator=(const IdsArgument&) = delete;

  IdsView view() const noexcept { return is_string_ ? IdsView{{}, &strings_} : IdsView{integers_, nullptr}; }

 private:
  void push_back(const py::handle& text);
  py::object keeper_;
  std::int64_t one_ = 0;
  std::span<const std::int64_t> integers_;
  Strings strings_;
  bool is_string_ = false;
};

/// Throws InvalidArgument unless there are as many ids as vectors.
void require_same_count(const VectorsView& vectors, const IdsView& ids);

/// Hands the memory over to an array, without a copy.
template <class T>
py::array_t<T> to_numpy(Array<T> values) {
  auto* kept = new Array<T>(std::move(values));
  const py::capsule keeper(kept, [](void* array) { delete static_cast<Array<T>*>(array); });
  return py::array_t<T>(static_cast<py::ssize_t>(kept->size()), kept->mutable_data(), keeper);
}

/// An int64 array, or an object array of str.
py::array to_numpy(OwnedIds ids);
/// Shape (count, dim), in the dtype the vectors are stored in.
py::array to_numpy(OwnedVectors vectors);
/// Names in the places where `positions` point at them, None where they hold no_id.
py::array named(const py::array_t<std::int64_t>& positions, const Strings& names);

}  // namespace lookalike
