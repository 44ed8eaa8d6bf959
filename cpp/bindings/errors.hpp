// Translates core errors into the exceptions of lookalike.errors, and Ctrl-C into KeyboardInterrupt.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

void bind_errors(pybind11::module_& module);

}  // namespace lookalike
