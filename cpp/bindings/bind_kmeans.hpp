// Binds k-means and nearest-centroid assignment.
#pragma once

#include <pybind11/pybind11.h>

namespace lookalike {

void bind_kmeans(pybind11::module_& module);

}  // namespace lookalike
