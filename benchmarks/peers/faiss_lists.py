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
    times: ClassVar[int] = 4  # as many lists as suit the others
    settings = "lists: 4 to 8 roots of n"
    ladders = (PROBES,)

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import faiss

        faiss.omp_set_num_threads(threads)
        rows, dim = vectors.shape
        lists = self.times * list_count(rows)
        words = self.factory.format(lists=lists, half=dim // 2, quarter=dim // 4)
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

    times = 1
    # Lists that are searched, and candidates a neighbour.
    ladders = tuple(tuple((probes, factor) for probes in PROBES) for factor in (1, 2, 4, 8, 16, 32))

    def _set(self, setting: Any) -> None:
        self.lists.nprobe, self.index.k_factor = setting


class PQFastScan(Refined):
    name = "faiss IVF-PQ-FastScan, refined"
    factory = "IVF{lists},PQ{half}x4fs,RFlat"
    settings = "lists: 1 to 2 roots of n, 4 bits for 2 elements"


class PQFastScan4(Refined):
    name = "faiss IVF-PQ-FastScan of 4, refined"
    factory = "IVF{lists},PQ{quarter}x4fs,RFlat"
    settings = "lists: 1 to 2 roots of n, 4 bits for 4 elements"


class RaBitQFastScan(Refined):
    name = "faiss IVF-RaBitQ-FastScan, refined"
    factory = "HR,IVF{lists},RaBitQfs,RFlat"
    settings = "lists: 1 to 2 roots of n, rotated, 1 bit"


APPROXIMATE = (Flat, PQFastScan, PQFastScan4, RaBitQFastScan)
