// Our errors as the exceptions of lookalike.errors, and Ctrl-C as KeyboardInterrupt.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

void bind_errors(pybind11::module_& module);

}  // namespace lookalike
