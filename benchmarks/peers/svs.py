"""SVS: a Vamana graph, over LVQ codes where its wheel agrees to make them: on processors of Intel's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers import Approximate, MatrixRows, has_package


def available() -> bool:
    return has_package("svs")


def on_intel() -> bool:
    """Whether LVQ works: elsewhere its loader ends the process."""
    return "GenuineIntel" in Path("/proc/cpuinfo").read_text()


class Float16(MatrixRows, Approximate):
    name = "SVS f16"
    package = "scalable-vs"
    module = "svs"
    settings = "degree 64, window 200, alpha 1.2"

    def __init__(self, vectors: Any, metric: str, threads: int) -> None:
        import svs

        parameters = svs.VamanaBuildParameters(graph_max_degree=64, window_size=200, alpha=1.2)
        self.index = self._build(svs, parameters, vectors, threads)

    def _build(self, svs: Any, parameters: Any, vectors: Any, threads: int) -> Any:
        return svs.Vamana.build(
            parameters, vectors.astype("float16"), svs.DistanceType.L2, num_threads=threads
        )

    def single(self, setting: Any, k: int) -> Callable[[Any], Any]:
        return self.batch(setting, k, 1)

    def batch(self, setting: Any, k: int, threads: int) -> Callable[[Any], Any]:
        if self.index.num_threads != threads:
            self.index.num_threads = threads
        self.index.search_window_size = setting
        search = self.index.search
        return lambda queries: search(queries, k)[0]

    def save(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.index.save(*(str(path / part) for part in ("config", "graph", "data")))

    @classmethod
    def load(cls, path: Path, dim: int, metric: str) -> Float16:
        import svs

        loaded = cls.__new__(cls)
        loaded.index = svs.Vamana(
            str(path / "config"),
            svs.GraphLoader(str(path / "graph")),
            cls._reader(svs, path / "data", dim),
            svs.DistanceType.L2,
            num_threads=1,
        )
        return loaded

    @staticmethod
    def _reader(svs: Any, data: Path, dim: int) -> Any:
        return svs.VectorDataLoader(str(data), svs.DataType.float16, dims=dim)


class LVQ8(Float16):
    name = "SVS LVQ8"
    bits = (8, 0)

    def _build(self, svs: Any, parameters: Any, vectors: Any, threads: int) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "vectors.fvecs"
            svs.write_vecs(vectors, str(file))
            source = svs.VectorDataLoader(str(file), svs.DataType.float32, dims=vectors.shape[1])
            codes = svs.LVQLoader(source, primary=self.bits[0], residual=self.bits[1])
            return svs.Vamana.build(parameters, codes, svs.DistanceType.L2, num_threads=threads)

    @staticmethod
    def _reader(svs: Any, data: Path, dim: int) -> Any:
        return svs.LVQLoader(str(data))

    @classmethod
    def available(cls) -> bool:
        return on_intel()


class LVQ4x8(LVQ8):
    name = "SVS LVQ4x8"
    bits = (4, 8)


APPROXIMATE = (Float16, LVQ8, LVQ4x8)
