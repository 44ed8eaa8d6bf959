"""Ourselves: exact, storing float32 as given or choosing by the data; approximate, by graph and by lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.peers import PROBES, Approximate

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


class HNSW(Approximate):
    """The rows as they are on disk: u8 and f16 arrays."""

    name = "lookalike"
    package = "lookalike"
    module = "lookalike"
    settings = "M=16, ef_construction=200"
    ladders = ((*range(10, 20), 20, 22, 24, 28, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024),)
    native = True
    ours = True

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import lookalike as la

        self.index = la.HNSW(vectors.shape[1], metric, M=16, ef_construction=200)
        self.index.add(vectors, threads=threads)
        self.index.optimize()

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        search = self.index.search
        return lambda row: search(row, k, ef=setting).ids

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        return lambda queries: self.index.search(queries, k, ef=setting, threads=threads).ids

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        return float(self.index.stats(queries, k, ef=setting)["distances"])

    def save(self, path: Path) -> None:
        self.index.save(path)

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        import lookalike as la

        loaded = cls.__new__(cls)
        loaded.index = la.load(path)
        return loaded

    @classmethod
    def available(cls) -> bool:
        import lookalike as la

        return hasattr(la, "HNSW")


class Lists(HNSW):
    """Inverted lists, as many as it likes."""

    name = "lookalike IVF"
    families = ("lists",)
    settings = "defaults"
    ladders = (PROBES,)
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import lookalike as la

        self.index = la.IVF(vectors.shape[1], metric, **self.options)
        self.index.add(vectors, threads=threads)
        self.index.optimize()

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        search = self.index.search
        return lambda row: search(row, k, nprobe=setting).ids

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        return lambda queries: self.index.search(queries, k, nprobe=setting, threads=threads).ids

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        return float(self.index.stats(queries, k, nprobe=setting)["distances"])

    @classmethod
    def available(cls) -> bool:
        import lookalike as la

        return hasattr(la, "IVF")


class CodesOnly(Lists):
    """Nothing kept beside codes of 4 bits: how small it gets."""

    name = "lookalike IVF, codes alone"
    settings = "4 bits, keep none"
    raced = False
    options: ClassVar[dict[str, Any]] = {"codes": "u4", "keep": "none"}

    @classmethod
    def available(cls) -> bool:
        import lookalike as la

        try:
            return super().available() and la.IVF(8, **cls.options) is not None
        except la.InvalidArgument:
            return False


class Scan(HNSW):
    """`Flat` among the approximate: all that there is, in full, in the time it takes."""

    name = "lookalike Flat"
    families = ("exact",)
    settings = "defaults"
    ladders = ((None,),)

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import lookalike as la

        self.index = la.Flat(vectors.shape[1], metric)
        self.index.add(vectors, threads=threads)
        self.index.optimize()

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        search = self.index.search
        return lambda row: search(row, k).ids

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        return lambda queries: self.index.search(queries, k, threads=threads).ids

    def distances(self, queries: Any, setting: Any, k: int) -> float | None:
        return None

    @classmethod
    def available(cls) -> bool:
        return True


APPROXIMATE = (HNSW, Lists, CodesOnly, Scan)
