// The only place that releases and acquires the GIL.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

namespace py = pybind11;

/// Runs `body` with the GIL released; it must not touch Python objects. Take the core's locks only in here: waiting for
/// one while holding the GIL can deadlock.
template <class Body>
decltype(auto) without_gil(Body&& body) {
  const py::gil_scoped_release released;
  return body();
}

/// Runs a Python callback from inside `without_gil`.
template <class Body>
decltype(auto) with_gil(Body&& body) {
  const py::gil_scoped_acquire acquired;
  return body();
}

}  // namespace lookalike
