"""Adds vectors in chunks, with progress, all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._progress import Progress, reporter
from ..errors import Cancelled, Error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._core import _Index as Core


def add_in_chunks(
    core: Core,
    vectors: np.ndarray[Any, Any],
    ids: NDArray[np.int64] | list[str] | None,
    threads: int,
    progress: Progress,
    chunk_bytes: int,
) -> None:
    """Add vectors and report after every chunk; if anything stops it, remove them again."""
    rows = (
        vectors.reshape(-1, vectors.shape[-1]) if vectors.size else vectors[:0].reshape(0, vectors.shape[-1])
    )
    report = reporter(progress, len(rows), "adding", "vectors")
    # Checked as a whole: an error found in a chunk would give a row number within that chunk.
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
        _remove(core, ids[:done])
        if was_new:
            core.renew()
        raise


def _remove(core: Core, ids: NDArray[np.int64] | list[str]) -> None:
    try:
        core.remove(ids)
    except Error:  # another thread removed some meanwhile
        for id in ids:
            if core.contains(id):
                core.remove(ids=[id] if isinstance(id, str) else np.array([id]))
