"""How good an embedding is: what each image finds nearest among all the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...index.flat import Flat


@dataclass(frozen=True)
class Scores:
    """Precision@1 and mAP@R of a set of labelled vectors, both from 0 to 1."""

    precision_at_1: float
    map_at_r: float


def score(
    vectors: NDArray[np.float32], labels: NDArray[np.int64], metric: Literal["cosine", "l2"] = "cosine"
) -> Scores:
    """Let every image look for its class among all others (leave one out).

    Precision@1 is the share whose nearest has their class. mAP@R looks at the R nearest, R being how many
    others of the class there are, and rewards putting them first (Musgrave, Belongie and Lim, "A Metric
    Learning Reality Check", 2020, section 4.3). Images alone in their class do not ask.

    Examples
    --------
    >>> from lookalike.train.loop.scores import score
    >>> score(np.float32([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]), np.array([0, 0, 1, 1]))
    Scores(precision_at_1=1.0, map_at_r=1.0)
    """
    others = np.bincount(labels)[labels] - 1
    most = int(others.max())
    right = labels[_nearest(vectors, most, metric)] == labels[:, None]
    ranks = np.arange(1, most + 1)
    counted = right & (ranks <= others[:, None])
    precision = np.cumsum(counted, axis=1) / ranks
    asks = others > 0
    average = (precision * counted).sum(axis=1)[asks] / others[asks]
    return Scores(float(right[asks, 0].mean()), float(average.mean()))


def _nearest(vectors: NDArray[np.float32], k: int, metric: Literal["cosine", "l2"]) -> NDArray[np.int64]:
    """Return the k nearest others of every vector."""
    index = Flat(vectors.shape[1], metric, codes="f32")
    index.add(vectors)
    ids = np.asarray(index.search(vectors, k + 1).ids)
    own = ids == np.arange(len(ids))[:, None]
    # Among many copies an image may miss itself: then the last goes.
    own[~own.any(axis=1), -1] = True
    return np.asarray(ids[~own].reshape(len(ids), k))
