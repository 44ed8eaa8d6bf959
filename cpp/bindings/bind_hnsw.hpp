// Binds the HNSW index.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

void bind_hnsw(pybind11::module_& module);

}  // namespace lookalike
