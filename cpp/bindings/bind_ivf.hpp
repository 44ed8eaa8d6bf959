// Binds the IVF index and its out-of-core builder.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

void bind_ivf(pybind11::module_& module);

}  // namespace lookalike
