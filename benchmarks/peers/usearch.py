from __future__ import annotations

from typing import Any

from benchmarks.peers import has_package

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
