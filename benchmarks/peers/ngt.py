"""NGT: the ONNG graph, its edges optimised after the build."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, has_package


def available() -> bool:
    return has_package("ngtpy")


class ONNG(Approximate):
    name = "NGT ONNG"
    package = "ngt"
    module = "ngtpy"
    settings = "100 edges, then 10 out, 120 in"
    ladders = (
        (
            -0.1,
            -0.07,
            -0.04,
            -0.02,
            0.0,
            0.01,
            0.02,
            0.03,
            0.04,
            0.05,
            0.06,
            0.07,
            0.08,
            0.1,
            0.12,
            0.15,
            0.2,
            0.25,
            0.3,
        ),
    )

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import ngtpy

        self.folder = tempfile.TemporaryDirectory()
        first, second = (str(Path(self.folder.name) / part) for part in ("anng", "onng"))
        ngtpy.create(first, vectors.shape[1], edge_size_for_creation=100, distance_type="L2")
        index = ngtpy.Index(first, log_disabled=True)
        index.batch_insert(vectors, num_threads=threads)
        index.save()
        index.close()
        optimizer = ngtpy.Optimizer(10, 120, log_disabled=True)
        # Its tuning of search parameters does not end on small data, and we sweep them ourselves.
        optimizer.set_processing_modes(True, False, False, False)
        optimizer.execute(first, second)
        self.path = Path(second)
        self.index = ngtpy.Index(second, read_only=True, log_disabled=True)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        search = self.index.search
        return lambda row: search(row, k, setting, with_distance=False)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        import ngtpy
        import numpy as np

        self.index.set(num_of_search_objects=k, epsilon=setting)

        def search(queries: Any) -> Any:
            results = ngtpy.BatchResults()
            self.index.batch_search(queries, results, k, False)
            return np.asarray(results.get_ids())

        return search

    def save(self, path: Path) -> None:
        shutil.copytree(self.path, path, dirs_exist_ok=True)

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> ONNG:
        import ngtpy

        loaded = cls.__new__(cls)
        loaded.path = path
        loaded.index = ngtpy.Index(str(path), read_only=True, log_disabled=True)
        return loaded


APPROXIMATE = (ONNG,)
