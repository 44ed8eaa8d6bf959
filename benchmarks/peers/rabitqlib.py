"""RaBitQ-Library: SymphonyQG, HNSW and inverted lists, over codes or raw vectors; all best by l2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import PROBES, Approximate, MatrixRows, has_package, list_count


def available() -> bool:
    return has_package("rabitqlib")


class SymphonyQG(MatrixRows, Approximate):
    name = "rabitqlib SymphonyQG"
    package = "rabitqlib"
    module = "rabitqlib"
    settings = "max_degree=32, ef_construction=200"
    bits = 0

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(vectors.shape[1], 32, metric="l2", quantization_bits=self.bits)
        self.index.build(vectors, ef_construction=200, num_threads=threads)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        return self.batch(setting, k, 1)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        search = self.index.search_batch
        return lambda queries: search(queries, k, setting, threads)[0]

    def save(self, path: Path) -> None:
        self.index.save(str(path))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> SymphonyQG:
        import rabitqlib

        loaded = cls.__new__(cls)
        loaded.index = rabitqlib.SymqgIndex.load(str(path))
        return loaded


class SymphonyQG8(SymphonyQG):
    name = "rabitqlib SymphonyQG 8 bits"
    bits = 8


class HNSW(SymphonyQG):
    name = "rabitqlib HNSW 8 bits"
    settings = "M=16, ef_construction=200, 16 clusters"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import rabitqlib

        clustering = rabitqlib.RaBitQKMeans(vectors.shape[1], 16, num_threads=threads)
        clustering.train(vectors)
        self.index = rabitqlib.HnswIndex(
            vectors.shape[1], len(vectors), M=16, ef_construction=200, nbits=8, metric="l2"
        )
        self.index.build(vectors, clustering.centroids, clustering.assignments, num_threads=threads)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        search = self.index.search
        return lambda queries: search(queries, k, setting, threads)[0]

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> HNSW:
        import rabitqlib

        loaded = cls.__new__(cls)
        loaded.index = rabitqlib.HnswIndex.load(str(path))
        return loaded


class Raw(HNSW):
    """Codes of 1 bit choose, raw vectors decide."""

    name = "rabitqlib IVF raw"
    families = ("lists",)
    settings = "lists: 1 to 2 roots of n"
    bits = 32
    ladders = (PROBES,)

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import rabitqlib

        rows, dim = vectors.shape
        lists = list_count(rows)
        clustering = rabitqlib.QGKMeans(
            dim, lists, num_threads=threads, final_assignment=rabitqlib.FinalAssignmentMode.Exact
        )
        clustering.train(vectors)
        self.index = rabitqlib.IvfIndex(dim, rows, lists, self.bits, metric="l2")
        self.index.build(vectors, clustering.centroids, clustering.assignments, num_threads=threads)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        search = self.index.search
        # An id that is missing is 2**32 - 1 there, -1 here.
        return lambda queries: search(queries, k, setting, None, threads)[0].view("int32")

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> Raw:
        import rabitqlib

        loaded = cls.__new__(cls)
        loaded.index = rabitqlib.IvfIndex.load(str(path))
        return loaded


class Coded5(Raw):
    """Codes of 5 bits: 1 that chooses, 4 that decide."""

    name = "rabitqlib IVF 5 bits"
    bits = 5


class Coded9(Raw):
    name = "rabitqlib IVF 9 bits"
    bits = 9


APPROXIMATE = (SymphonyQG, SymphonyQG8, HNSW, Raw, Coded5, Coded9)
