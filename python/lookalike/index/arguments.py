"""Kind at the door: what users pass becomes what the core takes, or a clear refusal."""

from __future__ import annotations

import operator
from typing import Any

from ..errors import InvalidArgument


def as_k(k: object) -> int:
    """Return k as an int of at least 1.

    Raises
    ------
    InvalidArgument
        Where it is no integer, or below 1, or above 2**31 - 1.
    """
    return as_number(k, "k", 1, 2**31 - 1)


def as_threads(threads: object) -> int:
    """Return a number of threads as the core counts: 0 for None, which means all.

    Raises
    ------
    InvalidArgument
        Where it is neither None nor an integer of at least 1.
    """
    if threads is None:
        return 0
    number = as_integer(threads, "threads")
    if number < 1:
        raise InvalidArgument(f"threads is {number}; it must be at least 1, or None for all CPUs")
    return min(number, 1024)


def as_dim(dim: object) -> int:
    """Return a dimension as the core counts: 0 for None, which means that of the first vectors.

    Raises
    ------
    InvalidArgument
        Where it is neither None nor an integer between 1 and 65536.
    """
    if dim is None:
        return 0
    number = as_integer(dim, "dim")
    if not 1 <= number <= 65536:
        raise InvalidArgument(f"dim is {number}; it must be between 1 and 65536, or None")
    return number


def as_word(word: object, name: str) -> str:
    """Return a word such as a metric's name.

    Raises
    ------
    InvalidArgument
        Where it is no str.
    """
    if not isinstance(word, str):
        raise InvalidArgument(f"{name} is {word!r}; it must be a str")
    return word


def as_radius(radius: Any) -> float:
    """Return a radius as a float; it may be infinite or negative.

    Raises
    ------
    InvalidArgument
        Where it is no number, or NaN.
    """
    try:
        number = float(radius)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if number != number or isinstance(radius, (str, bytes)):
        raise InvalidArgument(f"radius is {radius!r}; it must be a number")
    return number


def as_recall(recall: Any) -> float:
    """Return a recall as a float.

    Raises
    ------
    InvalidArgument
        Where it is no number above 0 and at most 1.
    """
    try:
        number = float("nan") if isinstance(recall, (str, bytes)) else float(recall)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number <= 1:
        raise InvalidArgument(f"recall is {recall!r}; it must be above 0 and at most 1")
    return number


def as_number(value: object, name: str, low: int, high: int) -> int:
    """Return an integer between two bounds, both included.

    Raises
    ------
    InvalidArgument
        Where it is no integer, or beyond them.
    """
    number = as_integer(value, name)
    if not low <= number <= high:
        raise InvalidArgument(f"{name} is {number}; it must be between {low} and {high}")
    return number


def as_integer(value: Any, name: str) -> int:
    """Return an integer of any integer type; bool and float are none.

    Raises
    ------
    InvalidArgument
        Where it is not an integer.
    """
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise InvalidArgument(f"{name} is {value!r}; it must be an int")
