from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, has_package


def available() -> bool:
    return has_package("voyager")


class HNSW(Approximate):
    name = "voyager"
    package = "voyager"
    module = "voyager"
    settings = "M=16, ef_construction=200"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import voyager

        self.index = voyager.Index(
            voyager.Space.Euclidean,
            vectors.shape[1],
            M=16,
            ef_construction=200,
            random_seed=0,
            max_elements=len(vectors),
        )
        self.index.add_items(vectors, num_threads=threads)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        search = self.index.query
        return lambda row: search(row, k, 1, setting)[0]

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        return lambda queries: self.index.query(queries, k, threads, setting)[0]

    def save(self, path: Path) -> None:
        self.index.save(str(path))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        import voyager

        loaded = cls.__new__(cls)
        loaded.index = voyager.Index.load(str(path))
        return loaded


APPROXIMATE = (HNSW,)
