#include "bindings/errors.hpp"

#include <exception>

#include "base/errors.hpp"
#include "bindings/gil.hpp"
#include "runtime/interrupt.hpp"

namespace lookalike {
namespace {

/// Raises lookalike.errors.<name>. The exception classes are defined and documented in Python.
template <class... Args>
void raise(const char* name, Args&&... args) {
  const py::object error = py::module_::import("lookalike.errors").attr(name)(std::forward<Args>(args)...);
  PyErr_SetObject(py::type::of(error).ptr(), error.ptr());
}

/// Keeps the exception of a signal handler if it raised one.
void raise_interrupt() {
  if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
}

void translate(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Interrupted&) {
    raise_interrupt();
  } catch (const DimensionMismatch& error) {
    raise("DimensionMismatch", error.what());
  } catch (const InvalidArgument& error) {
    raise("InvalidArgument", error.what());
  } catch (const UnknownId& error) {
    raise("UnknownId", error.what());
  } catch (const CorruptFile& error) {
    raise("CorruptFile", error.what());
  } catch (const Unsupported& error) {
    raise("Unsupported", error.what());
  } catch (const IoError& error) {
    raise("io_error", error.code, error.what());
  } catch (const Error& error) {
    raise("Error", error.what());
  }
}

bool signal_arrived() {
  return with_gil([] { return PyErr_CheckSignals() != 0; });
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_local_exception_translator(&translate);
  set_interrupt_hook(&signal_arrived);
}

}  // namespace lookalike
