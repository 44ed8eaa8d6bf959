// Binds the members that all indexes share.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.hpp"
#include "base/types.hpp"
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "index/core/records.hpp"
#include "index/core/where.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// Results are padded if k exceeds the index's size, but only up to this k, which bounds their memory.
inline constexpr std::size_t max_padded_k = 65536;

template <class Index>
void require_k(const Index& index, std::size_t k) {
  if (k <= max_padded_k) return;
  const std::size_t size = without_gil([&] { return index.records().size(); });
  if (k > size) {
    throw InvalidArgument("k is " + std::to_string(k) + ", but the index holds " + std::to_string(size) +
                          " vectors; k may exceed that only up to " + std::to_string(max_padded_k));
  }
}

/// The `where` argument: None, a bool array, or ids. Keeps the Python object alive.
class WhereArgument {
 public:
  explicit WhereArgument(const py::object& where) {
    if (where.is_none()) return;
    if (py::isinstance<py::array_t<bool, py::array::c_style>>(where)) {
      mask_ = where;
      where_ = std::span(static_cast<const std::uint8_t*>(mask_.data()), static_cast<std::size_t>(mask_.size()));
    } else {
      where_ = ids_.emplace(where).view();
    }
  }
  const Where& get() const noexcept { return where_; }

 private:
  py::array mask_;
  std::optional<IdsArgument> ids_;
  Where where_;
};

template <class Index>
void add(Index& index, const py::array& vectors, const py::object& ids, unsigned threads) {
  const VectorsView view = view_of(vectors, index.records().metric(), "vectors");
  if (ids.is_none()) return without_gil([&] { index.add(view, threads); });
  const IdsArgument given(ids);
  require_same_count(view, given.view());
  without_gil([&] { index.add(view, given.view(), threads); });
}

/// Validates vectors and ids as `add` does, without adding them. Called before a large array is added in pieces.
template <class Index>
void require_addable(const Index& index, const py::array& vectors, const py::object& ids, unsigned threads) {
  const VectorsView view = view_of(vectors, index.records().metric(), "vectors");
  std::optional<IdsArgument> given;
  std::optional<IdsView> given_view;
  if (!ids.is_none()) {
    given_view = given.emplace(ids).view();
    require_same_count(view, *given_view);
  }
  if (view.count > 0) without_gil([&] { index.records().require_addable(view, given_view, threads); });
}

template <class Index>
void upsert(Index& index, const py::array& vectors, const py::object& ids, unsigned threads) {
  const VectorsView view = view_of(vectors, index.records().metric(), "vectors");
  const IdsArgument given(ids);
  require_same_count(view, given.view());
  without_gil([&] { index.upsert(view, given.view(), threads); });
}

/// Returns (ids, distances), each of shape (k,) for a single query and (n, k) for n queries. `effort` is the
/// approximate indexes' additional argument.
template <class Index, class... Effort>
py::tuple search(const Index& index, const py::array& queries, std::size_t k, Effort... effort, const py::object& where,
                 unsigned threads) {
  const VectorsView view = view_of(queries, index.records().metric(), "queries");
  require_k(index, k);
  const WhereArgument filter(where);
  std::vector<py::ssize_t> shape = {static_cast<py::ssize_t>(k)};
  if (queries.ndim() == 2 || view.count == 0) shape.insert(shape.begin(), static_cast<py::ssize_t>(view.count));
  py::array_t<std::int64_t> ids(shape);
  py::array_t<float> distances(shape);
  Answer answer;
  answer.ids = {ids.mutable_data(), static_cast<std::size_t>(ids.size())};
  answer.distances = {distances.mutable_data(), static_cast<std::size_t>(distances.size())};
  without_gil([&] { index.search(view, k, effort..., filter.get(), threads, answer); });
  if (answer.kind == IdKind::string) return py::make_tuple(to_names(ids, answer.names), std::move(distances));
  return py::make_tuple(std::move(ids), std::move(distances));
}

/// Returns (ids, distances, offsets). `effort` as for `search`.
template <class Index, class... Effort>
py::tuple range(const Index& index, const py::array& queries, float radius, Effort... effort, const py::object& where,
                unsigned threads) {
  const VectorsView view = view_of(queries, index.records().metric(), "queries");
  const WhereArgument filter(where);
  RangeAnswer answer = without_gil([&] { return index.range(view, radius, effort..., filter.get(), threads); });
  py::array ids = to_numpy(std::move(answer.ids));
  if (answer.kind == IdKind::string) ids = to_names(py::array_t<std::int64_t>(ids), answer.names);
  return py::make_tuple(std::move(ids), to_numpy(std::move(answer.distances)), to_numpy(std::move(answer.offsets)));
}

template <class Index>
void save(const Index& index, const std::filesystem::path& path) {
  without_gil([&] { index.save([&](const FileWriter& file) { file.save(path); }); });
}

/// Passes the file's bytes to `sink`, in order.
template <class Index>
void write(const Index& index, const py::function& sink) {
  without_gil([&] {
    index.save([&](const FileWriter& file) {
      file.write([&](std::span<const std::byte> piece) {
        with_gil([&] {
          sink(py::bytes(reinterpret_cast<const char*>(piece.data()), static_cast<py::ssize_t>(piece.size())));
        });
      });
    });
  });
}

/// Binds everything except the constructor and the searches, whose arguments differ. Members that take the index's lock
/// release the GIL first.
template <class Index>
py::class_<Index> bind_index(py::module_& module, const char* name) {
  using namespace pybind11::literals;
  py::class_<Index> bound(module, name);
  bound.def("add", &add<Index>, "vectors"_a, "ids"_a, "threads"_a);
  bound.def("require_addable", &require_addable<Index>, "vectors"_a, "ids"_a, "threads"_a);
  bound.def("upsert", &upsert<Index>, "vectors"_a, "ids"_a, "threads"_a);
  bound.def(
      "remove",
      [](Index& index, const py::object& ids) {
        const IdsArgument given(ids);
        return without_gil([&] { return index.remove(given.view()); });
      },
      "ids"_a);
  bound.def(
      "get",
      [](const Index& index, const py::object& ids) {
        const IdsArgument given(ids);
        return to_numpy(without_gil([&] { return index.records().get(given.view()); }));
      },
      "ids"_a);
  bound.def(
      "contains",
      [](const Index& index, const py::object& id) {
        const IdsArgument given(id);
        return without_gil([&] { return index.records().contains(given.view()); });
      },
      "id"_a);
  bound.def("renew", [](Index& index) {
    if constexpr (requires { index.reset(); }) without_gil([&] { index.reset(); });
  });
  bound.def("optimize", [](Index& index) { without_gil([&] { index.optimize(); }); });
  bound.def("save", &save<Index>, "path"_a);
  bound.def("write", &write<Index>, "sink"_a);
  bound.def("ids", [](const Index& index) { return to_numpy(without_gil([&] { return index.records().ids(); })); });
  bound.def("__len__", [](const Index& index) { return without_gil([&] { return index.records().size(); }); });
  bound.def_property_readonly("metric", [](const Index& index) { return name_of(index.records().metric()); });
  bound.def_property_readonly("codes", [](const Index& index) -> const char* {
    if (const auto element = without_gil([&] { return index.records().element(); })) return name_of(*element);
    return name_of(index.records().storage());
  });
  bound.def_property_readonly("nbytes", [](const Index& index) { return without_gil([&] { return index.bytes(); }); });
  const auto bind_records_property = [&](const char* property, auto (Records::*read)() const) {
    bound.def_property_readonly(
        property, [read](const Index& index) { return without_gil([&] { return (index.records().*read)(); }); });
  };
  bind_records_property("is_new", &Records::is_new);
  bind_records_property("dim", &Records::dim);
  bind_records_property("next_id", &Records::next_id);
  bind_records_property("removed_share", &Records::removed_share);
  return bound;
}

}  // namespace lookalike
