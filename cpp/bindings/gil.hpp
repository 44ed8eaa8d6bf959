// The only place where the interpreter's lock is given up and taken back.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

namespace py = pybind11;

/// Runs `body`, which touches no Python object, while other Python threads run. Whoever takes a lock of ours does it
/// in here: waiting for one with the interpreter's lock held could wait for ever.
template <class Body>
decltype(auto) without_gil(Body&& body) {
  const py::gil_scoped_release released;
  return body();
}

/// For callbacks from inside `without_gil`.
template <class Body>
decltype(auto) with_gil(Body&& body) {
  const py::gil_scoped_acquire acquired;
  return body();
}

}  // namespace lookalike
