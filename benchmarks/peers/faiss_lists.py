"""faiss's inverted lists: of vectors, and of codes scanned in registers with a second look at the vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.peers import PROBES, Approximate, MatrixRows, has_package, list_count


def available() -> bool:
    return has_package("faiss")


class Flat(MatrixRows, Approximate):
    name = "faiss IVF-Flat"
    families = ("lists",)
    package = "faiss-cpu"
    module = "faiss"
    factory: ClassVar[str] = "IVF{lists},Flat"
    # Of 1, 2 and 4, what is fastest at recall 0.95.
    per_root: ClassVar[float] = 4
    settings = "4 lists per root of n"
    ladders = (PROBES,)

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import faiss

        faiss.omp_set_num_threads(threads)
        rows, dim = vectors.shape
        words = self.factory.format(lists=list_count(rows, self.per_root), half=dim // 2, quarter=dim // 4)
        self._take(faiss.index_factory(dim, words))
        self.index.train(vectors)
        self.index.add(vectors)

    def _take(self, index: Any) -> None:
        import faiss

        self.index = index
        self.lists = faiss.extract_index_ivf(index)

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        return self.batch(setting, k, 1)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        import faiss

        faiss.omp_set_num_threads(threads)
        self._set(setting)
        search = self.index.search
        return lambda queries: search(queries, k)[1]

    def _set(self, setting: Any) -> None:
        self.lists.nprobe = setting

    def save(self, path: Path) -> None:
        import faiss

        faiss.write_index(self.index, str(path))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> Flat:
        import faiss

        loaded = cls.__new__(cls)
        loaded._take(faiss.read_index(str(path)))
        return loaded


class Refined(Flat):
    """Codes choose `k_factor` times as many as are wanted, the vectors themselves which of those."""

    # Lists that are searched, and candidates a neighbour.
    ladders = tuple(tuple((probes, factor) for probes in PROBES) for factor in (1, 2, 4, 8, 16, 32))

    def _set(self, setting: Any) -> None:
        self.lists.nprobe, self.index.k_factor = setting


class PQFastScan(Refined):
    name = "faiss IVF-PQ-FastScan, refined"
    factory = "IVF{lists},PQ{half}x4fs,RFlat"
    per_root = 2
    settings = "2 lists per root of n, 4 bits for 2 elements"


class RaBitQFastScan(Refined):
    name = "faiss IVF-RaBitQ-FastScan, refined"
    factory = "HR,IVF{lists},RaBitQfs,RFlat"
    per_root = 2
    settings = "2 lists per root of n, rotated, 1 bit"


APPROXIMATE = (Flat, PQFastScan, RaBitQFastScan)
