"""Builds an index of more vectors than memory holds, out of core."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .._checks import as_integer, must_be, must_be_kind
from .._core import IVFBuild
from .._progress import Progress, reporter
from ..errors import Cancelled, InvalidArgument
from .vectors import as_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Chunks = np.ndarray[Any, Any] | Iterable[ArrayLike]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?)\s*([KMGT]?)(?:i?B)?\s*", re.IGNORECASE)


def as_memory(memory: object) -> int:
    """Return an amount of memory in bytes: an int as it is, a str such as "512MB" or "2GB" in powers of 1024.

    Raises
    ------
    InvalidArgument
        Where it is neither, or less than building needs.
    """
    if isinstance(memory, str):
        found = _AMOUNT.fullmatch(memory)
        if not found:
            raise must_be("memory", memory, "an int or a str such as '512MB' or '2GB'")
        number = int(float(found[1]) * _UNITS[found[2].upper()])
    else:
        number = as_integer(memory, "memory")
    if number < IVFBuild.least_memory:
        raise must_be("memory", memory, f"at least {IVFBuild.least_memory >> 20}MB")
    return min(number, 1 << 62)


def append_all(build: IVFBuild, vectors: Chunks, metric: str, memory: int, threads: int) -> None:
    """Append an array, piece by piece, or the chunks of an iterable.

    Raises
    ------
    InvalidArgument
        Where something is no array of vectors, naming the chunk, or the rows of the array.
    """
    if hasattr(vectors, "__array__") or hasattr(vectors, "__dlpack__"):
        array = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
        if array.ndim != 2:
            raise InvalidArgument(f"vectors have {array.ndim} axes, shape {array.shape}; they must have 2")
        build.require_memory(*array.shape)
        step = max(1, memory // 16 // max(1, 4 * array.shape[1]))
        for start in range(0, len(array), step):
            piece = array[start : start + step]
            _append(build, piece, metric, threads, f"in rows {start} to {start + len(piece) - 1}")
            _release(array)
        return
    if isinstance(vectors, (str, bytes, dict, set, frozenset)) or not isinstance(vectors, Iterable):
        raise must_be_kind("vectors", vectors, "an array or an iterable of arrays")
    for number, chunk in enumerate(vectors):
        _append(build, chunk, metric, threads, f"in chunk {number}")


def counter(progress: Progress, build: IVFBuild) -> Callable[[int], None]:
    """Return a function that reports rows done; the bar is made when their total is known."""
    report: Callable[[int, Any], object] | None = None
    if progress is not True:
        report = reporter(progress, None, "building", "vectors")

    def report_rows(done: int) -> None:
        nonlocal report
        report = report or reporter(progress, len(build), "building", "vectors")
        if report(done, len(build)) is False:
            raise Cancelled(f"progress returned False after {done} of {len(build)} vectors; there is no file")

    return report_rows


def _append(build: IVFBuild, vectors: ArrayLike, metric: str, threads: int, where: str) -> None:
    try:
        build.append(as_vectors(vectors, "vectors", metric), threads)
    except InvalidArgument as error:
        raise type(error)(f"{where}: {error}") from error


def _release(array: np.ndarray[Any, Any]) -> None:
    """Release the pages read of a mapped file: they would count as memory of this process."""
    # With mode "c" the pages may hold what is nowhere else.
    if (
        not isinstance(array, np.memmap)
        or array.mode not in ("r", "r+")
        or not hasattr(mmap, "MADV_DONTNEED")
    ):
        return
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None:
        base.madvise(mmap.MADV_DONTNEED)
