"""What is raced on: the data sets, a toy of each metric, and how good an answer is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks import datasets
from benchmarks.datasets import Dataset
from benchmarks.indexes import K

TOYS = ("toy-l2", "toy-cosine")


def load(name: str) -> Dataset:
    """A data set that `datasets` knows, or a toy: blurred points of a few dozen clusters."""
    if name not in TOYS:
        return datasets.load(name)
    random = np.random.default_rng(0)
    centres = random.uniform(40, 200, (40, 64))
    base, queries = (centres[random.integers(0, 40, n)] + random.normal(0, 12, (n, 64)) for n in (3000, 200))
    metric = name.removeprefix("toy-")
    dtype = np.uint8 if metric == "l2" else np.float16
    return Dataset(name, metric, base.clip(0, 255).astype(dtype), queries.clip(0, 255).astype(dtype))


def vectors(array: NDArray[np.generic], metric: str, native: bool) -> NDArray[np.generic]:
    """The rows as an index takes them: as they are on disk, or float32 and, for a cosine, of length 1."""
    if native:
        return np.ascontiguousarray(array)
    rows = np.array(array, np.float32)
    if metric == "cosine":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


@dataclass
class Questions:
    """Queries spread evenly over those of a data set, and what they should be answered with."""

    dataset: Dataset
    count: int

    @cached_property
    def which(self) -> NDArray[np.int64]:
        total = len(self.dataset.queries)
        return np.linspace(0, total - 1, min(self.count, total)).astype(np.int64)

    @cached_property
    def truth(self) -> NDArray[np.int64]:
        return datasets.exact_neighbors(self.dataset, K)[self.which]

    def queries(self, native: bool) -> NDArray[np.generic]:
        """Them, as an index takes them."""
        return self._native if native else self._float32

    @cached_property
    def _native(self) -> NDArray[np.generic]:
        return vectors(self.dataset.queries[self.which], self.dataset.metric, native=True)

    @cached_property
    def _float32(self) -> NDArray[np.generic]:
        return vectors(self.dataset.queries[self.which], self.dataset.metric, native=False)

    def recall(self, ids: object) -> float:
        """The share of the K nearest that was found; a row as near as the last of them is as good."""
        found = padded(ids)
        right = (found[:, :, None] == self.truth[:, None, :]).any(axis=2)
        for query in np.flatnonzero(~right.all(axis=1)):
            others = np.flatnonzero(~right[query] & (found[query] >= 0))
            right[query, others] = self._keys(query, found[query, others]) <= self._reach[query]
        right &= ~repeated(found)
        return float(right.mean())

    @cached_property
    def _reach(self) -> NDArray[np.float64]:
        last = [self._keys(query, row[-1:])[0] for query, row in enumerate(self.truth)]
        return np.array(last) + 1e-12

    def _keys(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far some rows are from a query, in double precision."""
        a = np.asarray(self.dataset.queries[self.which[query]], np.float64)
        b = np.asarray(self.dataset.base[rows], np.float64)
        if self.dataset.metric == "cosine":
            return 1 - b @ a / (np.linalg.norm(b, axis=1) * np.linalg.norm(a))
        return ((b - a) ** 2).sum(axis=1)


def padded(ids: object) -> NDArray[np.int64]:
    """Answers as a matrix of K columns, -1 where a library found fewer."""
    answers = [np.ravel(row)[:K].astype(np.int64) for row in ids]
    return np.stack([np.pad(row, (0, K - len(row)), constant_values=-1) for row in answers])


def repeated(ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where an id stands that the same row already has further left."""
    earlier = np.tril(np.ones((ids.shape[1],) * 2, bool), -1)
    return ((ids[:, :, None] == ids[:, None, :]) & earlier).any(axis=2)
