from __future__ import annotations

from typing import Any

from benchmarks.peers import has_package

name = "hnswlib BFIndex"


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
