"""The `where` of a search: which ids it may return."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidArgument
from .ids import as_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_where(
    where: Any, ids: Callable[[], np.ndarray[Any, Any]]
) -> NDArray[np.bool_] | NDArray[np.int64] | list[str] | None:
    """Return a filter as the core takes it: None, a mask, or the ids admitted.

    Parameters
    ----------
    where
        None, ids, a boolean mask over insertion order, or a callable, which is called once for every id.
    ids
        Returns all ids in insertion order; called only for a callable `where`.

    Raises
    ------
    InvalidArgument
        Where it is none of these.
    """
    if where is None:
        return None
    if callable(where):
        return as_ids([value for value in ids().tolist() if where(value)], "where")
    if (
        isinstance(where, (list, tuple))
        and where
        and all(isinstance(value, (bool, np.bool_)) for value in where)
    ):
        where = np.array(where, dtype=np.bool_)
    if np.ma.is_masked(where):
        raise InvalidArgument("where holds masked values; fill or drop them first")
    if isinstance(where, np.ndarray) and where.dtype == np.bool_:
        if where.ndim != 1:
            raise InvalidArgument(f"where is a mask of {where.ndim} axes; it must have 1")
        return np.ascontiguousarray(where)
    return as_ids(where, "where")
