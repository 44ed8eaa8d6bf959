"""The peers, one file each: a new file in this folder takes part, no list needs a line.

A peer module offers
- ``available()``: whether its package is installed;

and for exact search
- ``name``: what tables call it;
- ``Exact(vectors, metric, threads)``: an index over float32 vectors, metric "l2", whose
  ``search(queries, k, threads)`` returns ``(ids, distances)``, both (n, k);

and for approximate search
- ``APPROXIMATE``: its indexes, each an `Approximate`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

# Pools of candidates, from the smallest that holds ten to one that finds everything.
POOLS = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 320, 400, 512, 640, 800)
POOLS += (1024, 1280, 1600, 2048)
# Lists to search, likewise.
PROBES = (1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256, 362, 512)


class Approximate(ABC):
    """One approximate index over the rows of a data set, built by its initialiser on so many threads.

    Vectors and queries are float32 and C-contiguous, unless `native`. Those of a "cosine" set have length 1,
    so that l2, ip and cosine all find its neighbours: an adapter takes the one its library is best at.

    What `single` and `batch` return is good until the next call of either: they may set the whole library up.
    """

    name: ClassVar[str]
    package: ClassVar[str]  # as pip calls it
    module: ClassVar[str]  # as Python calls it
    settings: ClassVar[str]  # of the build, for tables
    families: ClassVar[Sequence[str]] = ("graphs",)  # "graphs", "lists": the races it takes part in
    raced: ClassVar[bool] = True  # or only built, for its time and its memory
    native: ClassVar[bool] = False  # takes the vectors as they are on disk
    ours: ClassVar[bool] = False
    ladders: ClassVar[Sequence[Sequence[Any]]] = (
        POOLS,
    )  # settings of a search; each ladder from fast to good

    @abstractmethod
    def __init__(self, vectors: Any, metric: str, threads: int) -> None: ...

    @abstractmethod
    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        """A search for one of `rows` on the calling thread alone, returning ids, nearest first."""

    @abstractmethod
    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        """A search for a matrix of queries, returning ids, one row a query."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write what `load` needs to one file, or to one folder."""

    @classmethod
    @abstractmethod
    def load(cls, path: Path, dim: int, metric: str) -> Approximate:
        """What `save` has written."""

    def rows(self, queries: Any) -> list[Any]:
        """The queries one by one, in the shape that `single` takes."""
        return list(queries)

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        """Mean number of distances computed for a query, or None where nobody tells."""
        return None

    @classmethod
    def available(cls) -> bool:
        """Whether it runs here, now that its package is installed."""
        return True


class MatrixRows:
    """For libraries that take matrices only: a single query is a matrix of one row."""

    def rows(self, queries: Any) -> list[Any]:
        return [queries[i : i + 1] for i in range(len(queries))]


def modules() -> list[ModuleType]:
    """The peer modules whose packages are installed, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return [module for module in found if module.available()]


def installed() -> list[ModuleType]:
    """Those that search exactly."""
    return [module for module in modules() if hasattr(module, "Exact")]


def approximate() -> list[type[Approximate]]:
    """The approximate indexes that can run here, ours first."""
    indexes = [index for module in modules() for index in getattr(module, "APPROXIMATE", ())]
    return sorted((index for index in indexes if index.available()), key=lambda index: not index.ours)


def list_count(rows: int) -> int:
    """The inverted lists that suit most peers best, of 1, 2, 4 and 8 times the square root of the rows."""
    return max(1, round((1 if rows < 100_000 else 2) * rows**0.5))


def has_package(name: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(name) is not None
