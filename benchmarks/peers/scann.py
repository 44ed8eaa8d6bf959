"""scann-core: partitions, 4-bit codes with an anisotropic loss, and float32 reordering."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, has_package

LEAVES = (2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256, 362, 512)


def available() -> bool:
    return has_package("scann")


class Tree(Approximate):
    name = "scann-core"
    package = "scann-core"
    module = "scann.scann_ops.py.scann_ops_pybind"
    settings = "autopilot"
    families = ("graphs", "lists")  # the peer that graphs, too, have to beat
    # Candidates that are reordered, and leaves that are searched.
    ladders = tuple(tuple((leaves, pre) for leaves in LEAVES) for pre in (20, 30, 40, 60, 80, 120, 160, 320))

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        from scann import scann_ops_pybind

        measure = "dot_product" if metric == "cosine" else "squared_l2"
        builder = scann_ops_pybind.builder(vectors, 10, measure).set_n_training_threads(threads)
        self.index = builder.autopilot().build()

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        leaves, reordered = setting
        self.index.set_num_threads(1)
        search = self.index.search
        return lambda row: search(row, k, reordered, leaves)[0]

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        leaves, reordered = setting
        self.index.set_num_threads(threads)
        search = self.index.search_batched_parallel if threads > 1 else self.index.search_batched
        return lambda queries: search(queries, k, reordered, leaves)[0]

    def save(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.index.serialize(str(path), relative_path=True)

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> Tree:
        from scann import scann_ops_pybind

        loaded = cls.__new__(cls)
        loaded.index = scann_ops_pybind.load_searcher(str(path))
        return loaded


APPROXIMATE = (Tree,)
