from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, has_package

name = "usearch exact"


def available() -> bool:
    return has_package("usearch")


class Exact:
    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        assert metric == "l2"
        self.vectors = vectors

    def search(self, queries: Any, k: int, threads: int) -> tuple[Any, Any]:
        from usearch.index import MetricKind
        from usearch.index import search as exact_search

        matches = exact_search(self.vectors, queries, k, MetricKind.L2sq, exact=True, threads=threads)
        return matches.keys, matches.distances


class HNSW(Approximate):
    name = "usearch f32"
    package = "usearch"
    module = "usearch.index"
    settings = "connectivity=16, expansion_add=200"
    dtype = "f32"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        self.index = self._empty(vectors.shape[1])
        self.index.add(None, vectors, threads=threads)

    @classmethod
    def _empty(cls, dim: int) -> Any:
        from usearch.index import Index

        return Index(ndim=dim, metric="l2sq", dtype=cls.dtype, connectivity=16, expansion_add=200)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        self.index.expansion_search = setting
        search = self.index.search
        return lambda row: search(row, k, threads=1).keys

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        self.index.expansion_search = setting
        return lambda queries: self.index.search(queries, k, threads=threads).keys

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        self.index.expansion_search = setting
        return self.index.search(queries, k, threads=1).computed_distances / len(queries)

    def save(self, path: Path) -> None:
        self.index.save(path)

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        loaded = cls.__new__(cls)
        loaded.index = cls._empty(dim)
        loaded.index.load(path)
        return loaded


class HalfPrecision(HNSW):
    name = "usearch f16"
    dtype = "f16"


APPROXIMATE = (HNSW, HalfPrecision)
