"""Whether neighbours are of the right kind: precision, recall and mean average precision, leaving one out."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..index.flat import Flat

_CELLS = 1 << 22  # of a block of similarities


@dataclass(frozen=True)
class Scores:
    """How well photos were found, as means over the queries, each between 0 and 1.

    The first three leave out the photo a query was made of; what counts is the others of its class.

    Attributes
    ----------
    precision_at_1
        The share of queries whose nearest photo is of their class.
    recall_at_k
        The share of queries with at least one photo of their class among the k nearest. (Not the share of
        the class that is found: a class of 30 cannot fit among 10.)
    mean_average_precision
        All photos are ranked by cosine. At the rank of each photo of the query's class, precision is the
        share of photos of that class up to there; their mean is the query's average precision (Manning,
        Raghavan and Schütze, 2008, "Introduction to Information Retrieval", section 8.4).
    finds_itself
        The share of queries for which no photo is nearer than the very one they were made of: copy detection.
        Another just as near is a copy itself, and does no harm.
    """

    precision_at_1: float
    recall_at_k: float
    mean_average_precision: float
    finds_itself: float

    @classmethod
    def mean(cls, scores: list[Scores]) -> Scores:
        """Return the mean of several, each counting the same.

        >>> Scores.mean([Scores(1, 1, 1, 1), Scores(0, 0.5, 0, 1)])
        Scores(precision_at_1=0.5, recall_at_k=0.75, mean_average_precision=0.5, finds_itself=1.0)
        """
        fields = [asdict(score) for score in scores]
        return cls(**{name: float(np.mean([field[name] for field in fields])) for name in fields[0]})


class Gallery:
    """Stored photos as vectors with their classes, searched by cosine.

    Parameters
    ----------
    vectors
        float32 (n, dim), n at least 2.
    classes
        int (n,).

    Examples
    --------
    Of two classes, the third photo lies nearer to the other one:

    >>> from lookalike.robustness import Gallery
    >>> vectors = np.array([[9, 1], [9, 2], [5, 9], [1, 9], [2, 9]], np.float32)
    >>> gallery = Gallery(vectors, np.array([0, 0, 0, 1, 1]))
    >>> gallery.score(vectors, np.arange(5), k=3)
    Scores(precision_at_1=0.8, recall_at_k=1.0, mean_average_precision=0.88..., finds_itself=1.0)
    """

    def __init__(self, vectors: NDArray[np.float32], classes: NDArray[np.int64]) -> None:
        self._index = Flat(vectors.shape[1], "cosine")
        self._index.add(vectors)
        self._units = _normalised(vectors)
        self._classes = classes

    def nearest(self, query: NDArray[np.float32]) -> tuple[int, float]:
        """Return the row of the photo nearest to a vector, and its distance."""
        ids, distances = self._index.search(query, 1)
        return int(ids[0]), float(distances[0])

    def score(self, queries: NDArray[np.float32], own: NDArray[np.int64], k: int) -> Scores:
        """Search for every query, and say how good the neighbours are.

        Parameters
        ----------
        queries
            float32 (m, dim), m at least 1.
        own
            int (m,): the row of the photo each query was made of. Its class must have another photo.
        k
            At least 1.
        """
        ids, distances = self._index.search(queries, min(k + 1, len(self._index)))
        is_own = ids == own[:, None]
        itself = (is_own & (distances == distances[:, :1])).any(axis=1)
        # The others, nearest first, as many for each query: one that did not find itself drops the last.
        places = np.argsort(is_own, axis=1, kind="stable")[:, :-1]
        alike = self._classes[np.take_along_axis(ids, places, axis=1)] == self._classes[own][:, None]
        return Scores(
            precision_at_1=float(alike[:, 0].mean()),
            recall_at_k=float(alike.any(axis=1).mean()),
            mean_average_precision=self._mean_average_precision(queries, own),
            finds_itself=float(itself.mean()),
        )

    def _mean_average_precision(self, queries: NDArray[np.float32], own: NDArray[np.int64]) -> float:
        total, step = 0.0, max(1, _CELLS // len(self._units))
        for first in range(0, len(queries), step):
            part = slice(first, first + step)
            similarities = _normalised(queries[part]) @ self._units.T
            similarities[np.arange(len(similarities)), own[part]] = -np.inf
            # The photo itself comes last, where it is cut off.
            order = np.argsort(-similarities, axis=1, kind="stable")[:, :-1]
            alike = self._classes[order] == self._classes[own[part]][:, None]
            precision = np.cumsum(alike, axis=1) / np.arange(1, alike.shape[1] + 1)
            total += float(((precision * alike).sum(axis=1) / alike.sum(axis=1)).sum())
        return total / len(queries)


def _normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = vectors / np.where(lengths > 0, lengths, np.float32(1))
    return units
