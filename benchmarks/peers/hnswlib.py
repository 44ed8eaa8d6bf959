from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, has_package

name = "hnswlib BFIndex"
COUNTED = 100  # queries whose distances are counted, in Python


def available() -> bool:
    return has_package("hnswlib")


class Exact:
    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import hnswlib

        assert metric == "l2"
        self.index = hnswlib.BFIndex(space="l2", dim=vectors.shape[1])
        self.index.init_index(max_elements=len(vectors))
        self.index.set_num_threads(threads)
        self.index.add_items(vectors)

    def search(self, queries: Any, k: int, threads: int) -> tuple[Any, Any]:
        self.index.set_num_threads(threads)
        return self.index.knn_query(queries, k)


class HNSW(Approximate):
    name = "hnswlib"
    package = "hnswlib"
    module = "hnswlib"
    settings = "M=16, ef_construction=200"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import hnswlib

        self.index = hnswlib.Index(space="l2", dim=vectors.shape[1])
        self.index.init_index(len(vectors), M=16, ef_construction=200, random_seed=0)
        self.index.add_items(vectors, num_threads=threads)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        self.index.set_ef(setting)
        search = self.index.knn_query
        return lambda row: search(row, k, 1)[0]

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        self.index.set_ef(setting)
        return lambda queries: self.index.knn_query(queries, k, threads)[0]

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        from benchmarks.indexes.walk import Graph

        graph = Graph(self.index)
        some = queries[:: max(1, len(queries) // COUNTED)]
        return sum(graph.search(query, max(setting, k))[1] for query in some) / len(some)

    def save(self, path: Path) -> None:
        self.index.save_index(str(path))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        import hnswlib

        loaded = cls.__new__(cls)
        loaded.index = hnswlib.Index(space="l2", dim=dim)
        loaded.index.load_index(str(path))
        return loaded


APPROXIMATE = (HNSW,)
