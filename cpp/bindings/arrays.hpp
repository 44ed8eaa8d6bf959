// Converts between NumPy arrays or Python ids and core types. Dtypes must match exactly; the Python face converts them.
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

/// Views an aligned array of float32, float16, uint8 or int8 with contiguous rows. Two axes are (count, dim). One axis
/// is one vector, or no vector if it is empty. With Metric::hamming, uint8 holds packed bits. Throws InvalidArgument.
VectorsView view_of(const py::array& vectors, Metric metric, const char* argument);

/// Ids given as an int64 array, a list of str, or a single int or str. Keeps the Python object alive.
class IdsArgument {
 public:
  explicit IdsArgument(const py::handle& ids);
  IdsArgument(const IdsArgument&) = delete;
  IdsArgument& operator=(const IdsArgument&) = delete;

  IdsView view() const noexcept { return is_string_ ? IdsView{{}, &strings_} : IdsView{integers_, nullptr}; }

 private:
  void push_back(const py::handle& text);
  py::object array_;  // owns integers_ if an array was given
  std::int64_t single_id_ = 0;
  std::span<const std::int64_t> integers_;
  Strings strings_;
  bool is_string_ = false;
};

/// Throws InvalidArgument unless the counts are equal.
void require_same_count(const VectorsView& vectors, const IdsView& ids);

/// Moves `values` into a NumPy array without copying.
template <class T>
py::array_t<T> to_numpy(Array<T> values) {
  auto* moved = new Array<T>(std::move(values));
  const py::capsule owner(moved, [](void* array) { delete static_cast<Array<T>*>(array); });
  return py::array_t<T>(static_cast<py::ssize_t>(moved->size()), moved->mutable_data(), owner);
}

/// An int64 array, or an object array of str.
py::array to_numpy(OwnedIds ids);
/// An array of shape (count, dim) in the stored dtype.
py::array to_numpy(OwnedVectors vectors);
/// An object array of the names at `positions`; None where a position is no_id.
py::array to_names(const py::array_t<std::int64_t>& positions, const Strings& names);

}  // namespace lookalike
