from __future__ import annotations

from typing import Any

from benchmarks.peers import has_package

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
