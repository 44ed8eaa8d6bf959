"""Measures of search results.

Examples
--------
>>> la.evaluate.recall([[4, 2]], [[2, 7]], k=2)
0.5
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._checks import as_k
from .errors import InvalidArgument


def recall(
    found_ids: Any,
    true_ids: Any,
    k: int = 10,
    *,
    found_distances: Any = None,
    true_distances: Any = None,
) -> float:
    """Return recall@k: the share of the true k nearest neighbours that was found.

    Padding (-1 or None) counts neither as found nor as true. Where several vectors are equally far, which of
    them is among the true k is arbitrary, and an id alone cannot tell; give both distances to count
    everything found that is no farther than the k-th true neighbour, as ann-benchmarks does.

    Parameters
    ----------
    found_ids : array_like, shape (k,) or (n, >= 1)
        Ids an index returned, nearest first. The first k columns count.
    true_ids : array_like, shape (k,) or (n, >= k)
        The true neighbours, nearest first; at least k of them, or fewer where there are no more.
    k : int
        How many neighbours count.
    found_distances, true_distances : array_like, optional
        The distances beside the ids, of the same shapes.

    Returns
    -------
    float
        Between 0 and 1; 1 where there was nothing to find.

    Raises
    ------
    InvalidArgument
        Where shapes do not go together.

    Examples
    --------
    >>> la.evaluate.recall([[1, 2, 3]], [[3, 2, 9]], k=3)
    0.6666666666666666
    >>> la.evaluate.recall([1, 2], [1, 7], k=2, found_distances=[0, 4], true_distances=[0, 4])
    1.0
    """
    k = as_k(k)
    found, true = _rows(found_ids, "found_ids"), _rows(true_ids, "true_ids")
    _require_same(len(found), len(true), "found_ids", "true_ids")
    found, true = found[:, :k], true[:, :k]
    wanted = _present(true)
    if not wanted.any():
        return 1.0
    if (found_distances is None) != (true_distances is None):
        raise InvalidArgument("found_distances and true_distances must be given both, or neither")
    if found_distances is None:
        right = sum(
            len(_distinct(a) & _distinct(b)) for a, b in zip(found.tolist(), true.tolist(), strict=True)
        )
    else:
        near = _rows(found_distances, "found_distances")[:, :k]
        far = _rows(true_distances, "true_distances")[:, :k]
        if near.shape != found.shape or far.shape != true.shape:
            raise InvalidArgument("distances must have the shapes of the ids beside them")
        limit = np.where(wanted, far, -np.inf).max(axis=1, keepdims=True)
        right = int(np.minimum((_present(found) & (near <= limit)).sum(axis=1), wanted.sum(axis=1)).sum())
    return right / int(wanted.sum())


def _rows(values: Any, name: str) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidArgument(f"{name} have rows of different lengths; pad them with -1 or None") from error
    if array.ndim not in (1, 2):
        raise InvalidArgument(f"{name} have {array.ndim} axes; they must have 1 or 2")
    return np.atleast_2d(array)


def _require_same(a: int, b: int, a_name: str, b_name: str) -> None:
    if a != b:
        raise InvalidArgument(
            f"{a_name} are of {a} queries and {b_name} of {b}; they must be of the same queries"
        )


def _present(ids: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if ids.dtype == object:
        return np.array([[id is not None and id != -1 for id in row] for row in ids.tolist()], dtype=np.bool_)
    return np.asarray(ids != -1, dtype=np.bool_)


def _distinct(ids: list[Any]) -> set[Any]:
    return set(ids) - {-1, None}
