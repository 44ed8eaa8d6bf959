"""What searches return."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _scores(distances: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    return np.float32(1) - distances if metric == "cosine" else -distances


class Hits:
    """The nearest neighbours of one query or of several, nearest first.

    Unpacks as ``ids, distances = hits``.

    Attributes
    ----------
    ids : ndarray, shape (k,) or (n, k)
        int64, padded with -1 where fewer than k were found; or str objects, padded with None.
    distances : ndarray of float32, shape (k,) or (n, k)
        Smaller is nearer, for every metric; padded with inf.
    metric : str
        The metric of the index that was searched.

    Examples
    --------
    >>> index = la.Flat()
    >>> index.add([[0, 0], [3, 4]], ids=["origin", "far"])
    >>> hits = index.search([3, 3], k=3)
    >>> ids, distances = hits
    >>> ids
    array(['far', 'origin', None], dtype=object)
    >>> distances
    array([ 1., 18., inf], dtype=float32)
    >>> hits.counts
    2
    """

    __slots__ = ("distances", "ids", "metric")

    def __init__(self, ids: NDArray[Any], distances: NDArray[np.float32], metric: str) -> None:
        self.ids = ids
        self.distances = distances
        self.metric = metric

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield ids, then distances."""
        return iter((self.ids, self.distances))

    def __repr__(self) -> str:
        return f"Hits(ids={self.ids!r}, distances={self.distances!r})"

    @property
    def scores(self) -> NDArray[np.float32]:
        """Similarities, larger is nearer, padded with -inf.

        The inner product for "ip", the cosine for "cosine", and minus the distance for "l2" and "hamming".
        """
        return _scores(self.distances, self.metric)

    @property
    def counts(self) -> int | NDArray[np.int64]:
        """How many were found: an int for one query, one a query for several."""
        missing: int | None = None if self.ids.dtype == object else -1
        counts: NDArray[np.int64] = np.sum(np.asarray(self.ids != missing), axis=-1, dtype=np.int64)
        return int(counts) if self.ids.ndim == 1 else counts


class RangeHits:
    """Everything within a radius of each query, nearest first.

    Query i found ``ids[offsets[i]:offsets[i + 1]]``: ``near[i]`` are the `Hits` of query i, ``len(near)`` is
    the number of queries, and iteration goes over them.

    Attributes
    ----------
    ids : ndarray, shape (total,)
        int64 or str objects.
    distances : ndarray of float32, shape (total,)
        Smaller is nearer, for every metric.
    offsets : ndarray of int64, shape (n + 1,)
        Where each query's neighbours begin, and where the last one's end.
    metric : str
        The metric of the index that was searched.

    Examples
    --------
    >>> index = la.Flat()
    >>> index.add([[0], [1], [5]])
    >>> near = index.range([[0], [9]], radius=2)
    >>> near.ids, near.offsets
    (array([0, 1]), array([0, 2, 2]))
    >>> near[0].distances
    array([0., 1.], dtype=float32)
    """

    __slots__ = ("distances", "ids", "metric", "offsets")

    def __init__(
        self, ids: NDArray[Any], distances: NDArray[np.float32], offsets: NDArray[np.int64], metric: str
    ) -> None:
        self.ids = ids
        self.distances = distances
        self.offsets = offsets
        self.metric = metric

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, query: int) -> Hits:
        """Return the hits of one query."""
        count, query = len(self), operator.index(query)
        if not -count <= query < count:
            raise IndexError(f"query {query} of {count}")
        query %= count
        part = slice(self.offsets[query], self.offsets[query + 1])
        return Hits(self.ids[part], self.distances[part], self.metric)

    def __iter__(self) -> Iterator[Hits]:
        """Yield the hits of each query."""
        return (self[query] for query in range(len(self)))

    def __repr__(self) -> str:
        return f"RangeHits(queries={len(self)}, found={len(self.ids)})"

    @property
    def scores(self) -> NDArray[np.float32]:
        """Similarities, larger is nearer; see `Hits.scores`."""
        return _scores(self.distances, self.metric)

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many each query found."""
        return np.diff(self.offsets)
