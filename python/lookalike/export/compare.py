"""How far the vectors of one model lie from another's, and what that does to neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """Cosine between the vectors two models give the same pictures: its mean and its least."""

    mean: float
    least: float


def largest_difference(found: Vectors, expected: Vectors) -> float:
    """Return the largest difference, as a share of the largest element expected.

    >>> import numpy as np
    >>> round(largest_difference(np.array([[2.0, 8.1]]), np.array([[2.0, 8.0]])), 4)
    0.0125
    """
    scale = float(np.abs(expected).max(initial=0.0))
    return float(np.abs(found - expected).max(initial=0.0)) / (scale or 1.0)


def agreement(found: Vectors, expected: Vectors) -> Agreement:
    """Compare two models' vectors, row by row, by cosine.

    >>> import numpy as np
    >>> agreement(np.eye(2), np.eye(2))
    Agreement(mean=1.0, least=1.0)
    """
    cosines = (_unit(found) * _unit(expected)).sum(1)
    return Agreement(float(cosines.mean()), float(cosines.min()))


def precision_at_1(vectors: Vectors, classes: NDArray[np.str_]) -> float:
    """Return the share of pictures whose nearest other picture, by cosine, is of their class.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> precision_at_1(vectors, np.array(["cat", "cat", "dog"]))
    0.6666666666666666
    """
    units = _unit(vectors)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -2)
    return float((classes[cosines.argmax(1)] == classes).mean())


def _unit(vectors: Vectors) -> NDArray[np.float64]:
    exact = vectors.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    unit: NDArray[np.float64] = exact / np.where(lengths > 0, lengths, 1)
    return unit
