#include "bindings/arrays.hpp"

#include <optional>
#include <string>

#include "base/errors.hpp"
#include "rows/values.hpp"

namespace lookalike {
namespace {

std::optional<Element> element_of(const py::array& array) {
  const py::dtype dtype = array.dtype();
  if (dtype.byteorder() != '=' && dtype.byteorder() != '|') return std::nullopt;
  switch (dtype.num()) {
    case py::detail::npy_api::NPY_FLOAT_: return Element::f32;
    case py::detail::npy_api::NPY_UBYTE_: return Element::u8;
    case py::detail::npy_api::NPY_BYTE_: return Element::s8;
    case 23: return Element::f16;  // NPY_HALF, which pybind11 does not name
    default: return std::nullopt;
  }
}

bool has_contiguous_rows(const py::array& array, std::size_t element_bytes) {
  const py::ssize_t last = array.ndim() - 1;
  const bool aligned = array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if (array.size() == 0) return true;
  const bool contiguous = array.shape(last) <= 1 || array.strides(last) == static_cast<py::ssize_t>(element_bytes);
  return aligned && contiguous && (last == 0 || array.shape(0) <= 1 || array.strides(0) >= 0);
}

py::object decode(std::string_view text) {
  PyObject* object = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "strict");
  if (!object) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(object);
}

/// A new object array of `shape` whose element i is next(i).
template <class Next>
py::array object_array(const std::vector<py::ssize_t>& shape, Next&& next) {
  py::array array(py::dtype("O"), shape);
  auto** slots = static_cast<PyObject**>(array.mutable_data());
  for (py::ssize_t i = 0; i < array.size(); ++i) {
    py::object object = next(i);
    PyObject* before = std::exchange(slots[i], object.release().ptr());
    Py_XDECREF(before);
  }
  return array;
}

py::dtype dtype_of_element(Element element) {
  constexpr const char* names[] = {"float32", "float16", "uint8", "int8", "uint8"};
  return py::dtype(names[static_cast<int>(element)]);
}

}  // namespace

VectorsView view_of(const py::array& vectors, Metric metric, const char* argument) {
  const std::optional<Element> element = element_of(vectors);
  if (!element) {
    throw InvalidArgument(std::string(argument) + " have dtype " + py::str(vectors.dtype()).cast<std::string>() +
                          "; it must be native float32, float16, uint8 or int8");
  }
  if (vectors.ndim() != 1 && vectors.ndim() != 2) {
    throw InvalidArgument(std::string(argument) + " have " + std::to_string(vectors.ndim()) +
                          " axes; 1 or 2 are needed");
  }
  if (!has_contiguous_rows(vectors, element_size(*element))) {
    throw InvalidArgument(std::string(argument) +
                          " must be aligned, and the elements of each vector must be contiguous");
  }
  const bool bits = metric == Metric::hamming && *element == Element::u8;
  const bool single = vectors.ndim() == 1;
  const std::size_t dim = static_cast<std::size_t>(vectors.shape(single ? 0 : 1));
  const std::size_t count = single ? (dim ? 1 : 0) : static_cast<std::size_t>(vectors.shape(0));
  const std::size_t stride = count > 1 ? static_cast<std::size_t>(vectors.strides(0)) : row_bytes(*element, dim);
  return {static_cast<const std::byte*>(vectors.data()), bits ? Element::bits : *element, count, dim, stride};
}

void IdsArgument::push_back(const py::handle& text) {
  py::ssize_t length = 0;
  const char* bytes = PyUnicode_Check(text.ptr()) ? PyUnicode_AsUTF8AndSize(text.ptr(), &length) : nullptr;
  if (!bytes) {
    PyErr_Clear();
    throw InvalidArgument("ids hold " + py::repr(text).attr("encode")("ascii", "backslashreplace").cast<std::string>() +
                          "; every id must be a str that UTF-8 can encode");
  }
  strings_.push_back({bytes, static_cast<std::size_t>(length)});
}

IdsArgument::IdsArgument(const py::handle& ids) {
  if (py::isinstance<py::list>(ids)) {
    is_string_ = true;
    for (const py::handle text : py::reinterpret_borrow<py::list>(ids)) push_back(text);
    return;
  }
  if (py::isinstance<py::str>(ids)) {
    is_string_ = true;
    push_back(ids);
    return;
  }
  if (PyLong_Check(ids.ptr())) {
    single_id_ = ids.cast<std::int64_t>();
    integers_ = {&single_id_, 1};
    return;
  }
  if (!py::isinstance<py::array_t<std::int64_t, py::array::c_style>>(ids)) {
    throw InvalidArgument("ids must be a contiguous int64 array, a list of str, an int or a str");
  }
  const auto array = py::reinterpret_borrow<py::array_t<std::int64_t>>(ids);
  if (array.ndim() != 1)
    throw InvalidArgument("ids have " + std::to_string(array.ndim()) + " axes; they must have one");
  integers_ = {array.data(), static_cast<std::size_t>(array.size())};
  array_ = array;
}

void require_same_count(const VectorsView& vectors, const IdsView& ids) {
  if (vectors.count != ids.size()) {
    throw InvalidArgument(std::to_string(ids.size()) + " ids came with " + std::to_string(vectors.count) +
                          " vectors; give one id per vector");
  }
}

py::array to_numpy(OwnedIds ids) {
  if (ids.kind != IdKind::string) return to_numpy(std::move(ids.integers));
  return object_array({static_cast<py::ssize_t>(ids.strings.size())},
                      [&](py::ssize_t i) { return decode(ids.strings[static_cast<std::size_t>(i)]); });
}

py::array to_numpy(OwnedVectors vectors) {
  auto* moved = new Array<std::byte>(std::move(vectors.bytes));
  const py::capsule owner(moved, [](void* array) { delete static_cast<Array<std::byte>*>(array); });
  const std::vector<py::ssize_t> shape = {static_cast<py::ssize_t>(vectors.count),
                                          static_cast<py::ssize_t>(vectors.dim)};
  return py::array(dtype_of_element(vectors.element), shape, moved->mutable_data(), owner);
}

py::array to_names(const py::array_t<std::int64_t>& positions, const Strings& names) {
  const std::int64_t* position = positions.data();
  const std::vector<py::ssize_t> shape(positions.shape(), positions.shape() + positions.ndim());
  return object_array(shape, [&](py::ssize_t i) -> py::object {
    if (position[i] == no_id) return py::none();
    return decode(names[static_cast<std::size_t>(position[i])]);
  });
}

}  // namespace lookalike
