from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, MatrixRows, has_package

name = "faiss IndexFlatL2"


def available() -> bool:
    return has_package("faiss")


class Exact:
    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import faiss

        assert metric == "l2"
        faiss.omp_set_num_threads(threads)
        self.faiss = faiss
        self.index = faiss.IndexFlatL2(vectors.shape[1])
        self.index.add(vectors)

    def search(self, queries: Any, k: int, threads: int) -> tuple[Any, Any]:
        self.faiss.omp_set_num_threads(threads)
        distances, ids = self.index.search(queries, k)
        return ids, distances


class HNSW(MatrixRows, Approximate):
    name = "faiss HNSW"
    package = "faiss-cpu"
    module = "faiss"
    settings = "M=16, efConstruction=200"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import faiss

        faiss.omp_set_num_threads(threads)
        self.index = faiss.IndexHNSWFlat(vectors.shape[1], 16)
        self.index.hnsw.efConstruction = 200
        self.index.add(vectors)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        return self.batch(setting, k, 1)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        import faiss

        faiss.omp_set_num_threads(threads)
        self.index.hnsw.efSearch = setting
        search = self.index.search
        return lambda queries: search(queries, k)[1]

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        import faiss

        faiss.cvar.hnsw_stats.reset()
        self.batch(setting, k, 1)(queries)
        return faiss.cvar.hnsw_stats.ndis / len(queries)

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self.index, str(path))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        import faiss

        loaded = cls.__new__(cls)
        loaded.index = faiss.read_index(str(path))
        return loaded


APPROXIMATE = (HNSW,)
