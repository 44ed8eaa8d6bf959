"""The data sets: where they are, and what the exact answers are."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Dataset:
    """Base and query vectors, mapped from disk, and the metric they are compared by."""

    name: str
    metric: str
    base: NDArray[np.generic]
    queries: NDArray[np.generic]

    @property
    def dim(self) -> int:
        """Elements in a vector."""
        return int(self.base.shape[1])


# name -> (metric, suffix of the files)
KNOWN = {"fashion-mnist-784": ("l2", "u8"), "sift-128": ("l2", "u8"), "cnn-1280": ("cosine", "f16")}


def data_folder() -> Path:
    """Where the data lie: LOOKALIKE_DATA, or shared/data beside the repository."""
    return Path(os.environ.get("LOOKALIKE_DATA", ROOT.parent / "shared" / "data"))


def available(name: str) -> bool:
    """Whether the files of a data set are there."""
    suffix = KNOWN[name][1]
    return (data_folder() / "vectors" / f"{name}_base_{suffix}.npy").is_file()


def load(name: str) -> Dataset:
    """One of KNOWN, as memory maps. Raises FileNotFoundError where the data are absent."""
    metric, suffix = KNOWN[name]
    folder = data_folder() / "vectors"
    if not available(name):
        raise FileNotFoundError(
            f"{name} is not in {folder}; set LOOKALIKE_DATA to the folder that holds vectors/"
        )
    base, queries = (
        np.load(folder / f"{name}_{part}_{suffix}.npy", mmap_mode="r") for part in ("base", "query")
    )
    return Dataset(name, metric, base, queries)


def exact_neighbors(dataset: Dataset, k: int) -> NDArray[np.int64]:
    """The k nearest base rows of every query, in double precision, ties by row; kept in a cache folder."""
    key = hashlib.sha256(
        f"{dataset.name} {dataset.base.shape} {dataset.queries.shape} {k}".encode()
    ).hexdigest()[:16]
    default = Path(tempfile.gettempdir()) / "lookalike-benchmarks"
    cache = Path(os.environ.get("LOOKALIKE_BENCHMARK_CACHE", default)) / f"{dataset.name}-{key}.npy"
    if cache.is_file():
        return np.load(cache)
    cache.parent.mkdir(parents=True, exist_ok=True)
    truth = _measure(dataset, k)
    unfinished = cache.with_suffix(".partial.npy")
    np.save(unfinished, truth)
    unfinished.replace(cache)
    return truth


def _measure(dataset: Dataset, k: int) -> NDArray[np.int64]:
    base = np.asarray(dataset.base, np.float64)
    if dataset.metric == "cosine":
        base /= np.linalg.norm(base, axis=1, keepdims=True)
    squares = np.einsum("ij,ij->i", base, base)
    found = []
    for first in range(0, len(dataset.queries), 256):
        block = np.asarray(dataset.queries[first : first + 256], np.float64)
        products = block @ base.T
        # A cosine's order is that of the product with normalised rows; the query's own norm does not matter.
        keys = -products if dataset.metric == "cosine" else squares - 2 * products
        nearest = np.argpartition(keys, min(4 * k, keys.shape[1] - 1), axis=1)[:, : 4 * k]
        rows = np.sort(nearest, axis=1)
        order = np.argsort(np.take_along_axis(keys, rows, 1), axis=1, kind="stable")[:, :k]
        found.append(np.take_along_axis(rows, order, 1))
    return np.concatenate(found).astype(np.int64)
