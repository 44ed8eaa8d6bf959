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
    promised : float
        The recall that searches with no argument are to reach: .95, or what `tune` asked for. 1 where every
        vector is measured.
    lost : float
        The share of the vectors that a search for them does not find, 0 to 1, on the same sample; 0 for "ip",
        where others may be nearer to a vector than it is itself.
    aged : float
        The share of the vectors that came, or were replaced, since codes and lists were last learned, 0 to 1.
    advice : str
        What to do about it; empty where nothing needs to be done.

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
    promised: float = 1.0
    lost: float = 0.0
    aged: float = 0.0
    advice: str = ""
