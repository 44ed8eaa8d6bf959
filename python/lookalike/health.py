"""The state of an index, as `check` reports it."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """The state of an index.

    Attributes
    ----------
    rows : int
        Vectors it holds.
    deleted : float
        The share of rows that are removed but still take memory, 0 to 1.
    recall : float
        Measured recall@10.
    interval : tuple of float
        Where that recall lies with 95 % confidence.
    unreachable : int
        Vectors no search can find.
    bytes : int
        Memory of vectors, norms, ids, codes and edges: the index's ``nbytes``.

    Examples
    --------
    >>> la.Flat().check().recall
    1.0
    """

    rows: int
    deleted: float
    recall: float
    interval: tuple[float, float]
    unreachable: int
    bytes: int
