"""Ourselves, twice: storing float32 as given, and choosing, which keeps whole numbers as integers."""

from __future__ import annotations

from typing import Any

name = "lookalike f32"


def available() -> bool:
    return True


class Exact:
    codes = "f32"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import lookalike as la

        self.index = la.Flat(vectors.shape[1], metric, codes=self.codes)
        self.index.add(vectors, threads=threads)

    def search(self, queries: Any, k: int, threads: int) -> tuple[Any, Any]:
        ids, distances = self.index.search(queries, k, threads=threads)
        return ids, distances


class ExactAuto(Exact):
    codes = "auto"


class Optimized(Exact):
    """After `optimize`, which prepares the sketch that single searches use."""

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        super().__init__(vectors, metric, threads)
        self.index.optimize()


class OptimizedAuto(Optimized):
    codes = "auto"
