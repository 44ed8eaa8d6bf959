"""Converts ids: integers become an int64 array, strings a list."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import must_be
from ..errors import InvalidArgument

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST, HIGHEST = -(2**63), 2**63 - 1


def as_ids(ids: Any, name: str = "ids") -> NDArray[np.int64] | list[str]:
    """Return ids as the core takes them. A single int or str counts as one id.

    Raises
    ------
    InvalidArgument
        Where they are neither all integers that fit in int64 nor all str.
    """
    if isinstance(ids, np.ndarray) and ids.dtype.kind in "iu":
        return _integers(ids, name)
    if isinstance(ids, str):
        return [str(ids)]
    if hasattr(ids, "__index__") and not isinstance(ids, (bool, np.bool_, np.ndarray)):
        return np.array([as_id(ids, name)], dtype=np.int64)
    if isinstance(ids, bytes) or not (hasattr(ids, "__iter__") or hasattr(ids, "__array__")):
        raise InvalidArgument(f"{name} are {ids!r}; they must be integers or str")
    if not isinstance(ids, (list, tuple, set, frozenset, range)) and hasattr(ids, "__array__"):
        ids = np.asarray(ids)
        if ids.dtype.kind in "iu":
            return _integers(ids, name)
    if isinstance(ids, np.ndarray):
        if ids.ndim != 1:
            raise InvalidArgument(f"{name} have {ids.ndim} axes; they must have 1")
        if ids.size and ids.dtype.kind not in "UTO":
            raise InvalidArgument(f"{name} have dtype {ids.dtype}; they must be integers or str")
        ids = ids.tolist()
    return _listed(list(ids), name)


def as_id(value: Any, name: str = "id") -> int | str:
    """Return one id.

    Raises
    ------
    InvalidArgument
        Where it is neither a str nor an integer that fits in int64.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, (bool, np.bool_)) and hasattr(value, "__index__"):
        try:
            number = operator.index(value)
        except TypeError:
            number = HIGHEST + 1
        if LOWEST <= number <= HIGHEST:
            return number
    raise must_be(name, value, "an int of 64 bits or a str")


def _integers(ids: np.ndarray[Any, Any], name: str) -> NDArray[np.int64]:
    if ids.ndim == 0:
        ids = ids.reshape(1)
    if ids.ndim != 1:
        raise InvalidArgument(f"{name} have {ids.ndim} axes; they must have 1")
    if ids.dtype.kind == "u" and ids.size and int(ids.max()) > HIGHEST:
        raise InvalidArgument(f"{name} hold {ids.max()}, which does not fit in 64 bits with a sign")
    return np.ascontiguousarray(ids, dtype=np.int64)


def _listed(ids: list[Any], name: str) -> NDArray[np.int64] | list[str]:
    if ids and isinstance(ids[0], str):
        for i, value in enumerate(ids):
            if not isinstance(value, str):
                raise InvalidArgument(
                    f"{name}[{i}] is {value!r}, but {name}[0] is a str; ids must be of one kind"
                )
        return ids
    for i, value in enumerate(ids):
        if isinstance(value, str):
            raise InvalidArgument(
                f"{name}[{i}] is {value!r}, but {name}[0] is an int; ids must be of one kind"
            )
        as_id(value, f"{name}[{i}]")
    return np.array(ids, dtype=np.int64)
