"""The checks of arguments: what users pass becomes what the code works with, or an error that names it.

Every message reads "<argument> is <what came>; it must be <what is needed>".
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

from .errors import InvalidArgument


def must_be(name: str, value: object, needed: str) -> InvalidArgument:
    """Return the error of an argument that cannot work.

    >>> must_be("k", 0, "at least 1")
    InvalidArgument('k is 0; it must be at least 1')
    """
    return InvalidArgument(f"{name} is {value!r}; it must be {needed}")


def must_be_kind(name: str, value: object, needed: str) -> InvalidArgument:
    """Return the error of an argument whose type cannot work, and whose value would say nothing.

    >>> must_be_kind("store", 3.5, "a path")
    InvalidArgument('store is a float; it must be a path')
    """
    return InvalidArgument(f"{name} is a {type(value).__name__}; it must be {needed}")


def as_integer(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """Return an integer of any integer type, between two bounds where they are given, both included.

    Raises
    ------
    InvalidArgument
        Where it is no integer, as bool and float are not, or beyond the bounds.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise must_be(name, value, "an int")
    if (least is not None and number < least) or (most is not None and number > most):
        raise must_be(name, number, f"at least {least}" if most is None else f"between {least} and {most}")
    return number


def as_count(value: Any, name: str) -> int:
    """Return an integer of at least 1. Raises InvalidArgument."""
    return as_integer(value, name, 1)


def as_k(k: Any) -> int:
    """Return a number of neighbours, 1 to 2**31 - 1. Raises InvalidArgument."""
    return as_integer(k, "k", 1, 2**31 - 1)


def as_threads(threads: Any) -> int:
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
        raise must_be("threads", number, "at least 1, or None for all CPUs")
    return min(number, 1024)


def as_dim(dim: Any) -> int:
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
        raise must_be("dim", number, "between 1 and 65536, or None")
    return number


def as_number(
    value: Any,
    name: str,
    needed: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> float:
    """Return a number as a float: above one bound, between two others. Raises InvalidArgument.

    >>> as_number(0.5, "threshold", "above 0 and at most 1", above=0, most=1)
    0.5
    """
    try:
        number = math.nan if isinstance(value, (str, bytes, bool)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    inside = least <= number <= most and (number > above or above == -math.inf)
    if not inside:
        raise must_be(name, value, needed)
    return number


def as_radius(radius: Any) -> float:
    """Return a radius, which may be infinite or negative. Raises InvalidArgument."""
    return as_number(radius, "radius", "a number")


def as_recall(recall: Any) -> float:
    """Return a recall, above 0 and at most 1. Raises InvalidArgument."""
    return as_number(recall, "recall", "above 0 and at most 1", above=0, most=1)


def as_word(word: Any, name: str) -> str:
    """Return a word such as a metric's name. Raises InvalidArgument where it is no str."""
    if not isinstance(word, str):
        raise must_be(name, word, "a str")
    return word


def as_choice(value: Any, name: str, choices: Iterable[str]) -> Any:
    """Return one of a few words. Raises InvalidArgument, which lists them.

    >>> as_choice("stop", "on_error", ("raise", "skip"))
    Traceback (most recent call last):
    lookalike.errors.InvalidArgument: on_error is 'stop'; it must be one of raise, skip
    """
    words = tuple(choices)
    if value not in words:
        raise must_be(name, value, f"one of {', '.join(words)}")
    return value
