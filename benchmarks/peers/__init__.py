"""The peers, one file each: a new file in this folder takes part, no list needs a line.

A peer module offers
- ``name``: what tables call it;
- ``available()``: whether its package is installed;
- ``Exact(vectors, metric, threads)``: an index over float32 vectors, metric "l2", whose
  ``search(queries, k, threads)`` returns ``(ids, distances)``, both (n, k).
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType


def installed() -> list[ModuleType]:
    """The peer modules whose packages are installed, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module for module in modules if module.available()]


def has_package(name: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(name) is not None
