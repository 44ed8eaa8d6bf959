"""What is right: the nearest in double precision, measured by differences, ties included."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.indexes.data import repeated
from benchmarks.recall.elements import Rows

Doubles = NDArray[np.float64]
TIE = 1e-9  # relative: how much farther than the k-th nearest is still as near
COSINE_TIE = 1e-14  # absolute, of rows that differ in length alone
DOUBT = 1e-12  # of the squared lengths: more than rounding can do to a product in double precision


class Truth:
    """How far the k-th nearest row is from each query, and so which answers are right."""

    def __init__(self, rows: Rows, queries: Rows, metric: str, k: int) -> None:
        self.metric = metric
        self.rows, self.queries = prepared(rows, metric), prepared(queries, metric)
        self.k = min(k, len(rows))
        self.reach = self._reach()

    @classmethod
    def of_selves(cls, rows: Rows, which: NDArray[np.int64], metric: str) -> Truth:
        """Of searches for some rows: each is its own nearest, but under "ip", where a longer one may be."""
        if metric == "ip":
            return cls(rows, rows[which], metric, 1)
        truth = cls.__new__(cls)
        truth.metric, truth.k = metric, 1
        truth.rows = prepared(rows, metric)
        truth.queries, truth.reach = truth.rows[which], np.zeros(len(which))
        return truth

    def recall(self, found: NDArray[np.int64]) -> float:
        """The share of the k nearest that some answers hold: row numbers, -1 where there is none."""
        found = found[:, : self.k]
        distances = np.stack([self._distances(q, np.maximum(f, 0)) for q, f in enumerate(found)])
        least = COSINE_TIE if self.metric == "cosine" else 0.0
        limit = self.reach + TIE * np.abs(self.reach) + least
        right = (found >= 0) & (distances <= limit[:, None]) & ~repeated(found)
        return float(right.sum() / (len(found) * self.k))

    def _distances(self, query: int, which: NDArray[np.int64]) -> Doubles:
        """From one query to some rows, without cancellation; of vectors of length 1 for "cosine"."""
        if self.metric == "ip":
            return -np.einsum("ij,j->i", self.rows[which], self.queries[query])
        return ((self.rows[which] - self.queries[query]) ** 2).sum(axis=1)

    def _reach(self) -> Doubles:
        """A matrix product leaves a few rows that may be the k-th nearest; differences decide."""
        centre = self.rows.mean(axis=0) * (self.metric != "ip")
        rows, queries = self.rows - centre, self.queries - centre
        squares, own = (rows**2).sum(axis=1), (queries**2).sum(axis=1)
        keys = -(queries @ rows.T)
        if self.metric != "ip":
            keys = squares + own[:, None] + 2 * keys
        reach = []
        for query, row in enumerate(keys):
            error = DOUBT * (squares + own[query] + (centre**2).sum())
            most = np.partition(row + error, self.k - 1)[self.k - 1]
            near = np.flatnonzero(row - error <= most)
            reach.append(np.partition(self._distances(query, near), self.k - 1)[self.k - 1])
        return np.array(reach)


def prepared(rows: Rows, metric: str) -> Doubles:
    """In double precision and, for "cosine", of length 1."""
    wide: Any = np.asarray(rows, np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True) if metric == "cosine" else wide
