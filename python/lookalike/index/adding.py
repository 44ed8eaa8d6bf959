"""Adding with progress: in chunks, and yet all or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Cancelled, Error, InvalidArgument

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._core import _Index as Core


def add_in_chunks(
    core: Core,
    vectors: np.ndarray[Any, Any],
    ids: NDArray[np.int64] | list[str] | None,
    threads: int,
    progress: object,
    chunk_bytes: int,
) -> None:
    """Add vectors and tell `progress` after every chunk; if anything stops it, take them out again."""
    report = as_report(progress)
    rows = (
        vectors.reshape(-1, vectors.shape[-1]) if vectors.size else vectors[:0].reshape(0, vectors.shape[-1])
    )
    # All of it at once, or what is wrong would be named by its place in a chunk.
    core.require_addable(rows, ids, threads)
    was_new = core.is_new
    if ids is None:
        ids = np.arange(core.next_id, core.next_id + len(rows), dtype=np.int64)
    step = max(1, chunk_bytes // max(1, rows.shape[-1] * rows.itemsize))
    done = 0
    try:
        for start in range(0, len(rows), step):
            stop = min(start + step, len(rows))
            core.add(rows[start:stop], ids[start:stop], threads)
            done = stop
            if report(done, len(rows)) is False:
                raise Cancelled(
                    f"progress returned False after {done} of {len(rows)} vectors; none were added"
                )
    except BaseException:
        _take_out(core, ids[:done])
        if was_new:
            core.renew()
        raise


def as_report(progress: object) -> Callable[[int, int], object]:
    """Return what is called with (done, total): a bar for True, else the callable that `progress` is.

    Raises
    ------
    InvalidArgument
        Where it is neither.
    """
    if progress is True:
        return draw
    if not callable(progress):
        raise InvalidArgument(
            f"progress is {progress!r}; it must be None, a bool or a callable taking (done, total)"
        )
    return progress


def _take_out(core: Core, ids: NDArray[np.int64] | list[str]) -> None:
    try:
        core.remove(ids)
    except Error:  # somebody else removed some meanwhile
        for id in ids:
            if core.contains(id):
                core.remove(ids=[id] if isinstance(id, str) else np.array([id]))


def draw(done: int, total: int) -> None:
    """Draw a bar on stderr."""
    width = 30
    full = width * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\radd [{'#' * full}{'.' * (width - full)}] {done}/{total}{end}")
    sys.stderr.flush()
