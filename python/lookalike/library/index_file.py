"""The index beside the catalogue: built from it, and stamped with its generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import Error
from ..index import Flat, load
from .catalogue import Catalogue

if TYPE_CHECKING:
    from ..index.loading import AnyIndex


@dataclass(frozen=True)
class Snapshot:
    """What can be searched at one moment: an index of rows, and by the ids of files their paths and times."""

    generation: int
    index: AnyIndex | None
    paths: Mapping[int, bytes]
    times: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)

    def times_of(self, file: int, part: int) -> tuple[float, float] | None:
        """Return start and end, in seconds, of a file's row; None where it has no time."""
        if file not in self.times:
            return None
        start, end = self.times[file][part].tolist()
        return start, end


def build(blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> Flat | None:
    """Make the index of blocks of ids and vectors; None where there are none."""
    index = None
    for ids, vectors in blocks:
        if index is None:
            index = Flat(dim=vectors.shape[1], metric="cosine")
        index.add(vectors, ids)
    return index


def refresh(catalogue: Catalogue, path: Path) -> None:
    """Bring the index file up to the catalogue's generation. The caller holds the sync lock.

    The file is replaced first, then the catalogue is updated: after a crash between the two the stamps do
    not match, and the index is rebuilt.
    """
    if _is_current(catalogue, path):
        return
    index = build(catalogue.vectors())
    if index is None:
        path.unlink(missing_ok=True)
    else:
        index.save(path)
    with catalogue.transaction():
        catalogue.set_meta("indexed", _remark(catalogue, path))


def read(catalogue: Catalogue, path: Path) -> Snapshot:
    """Return the state as of now: from the index file where it is current, else made from the catalogue."""
    with catalogue.snapshot():
        index: AnyIndex | None = None
        remark = catalogue.meta("indexed")
        if _is_current(catalogue, path) and path.exists():
            try:
                index = load(path)
            except Error:
                index = None  # The catalogue has it all.
        # A sync elsewhere may have replaced the file while it was read.
        if index is None or _remark(catalogue, path) != remark:
            index = build(catalogue.vectors())
        return Snapshot(catalogue.generation, index, catalogue.paths(), catalogue.times())


def _is_current(catalogue: Catalogue, path: Path) -> bool:
    return catalogue.meta("indexed") == _remark(catalogue, path)


def _remark(catalogue: Catalogue, path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{catalogue.generation}"
    return f"{catalogue.generation} {status.st_size} {status.st_mtime_ns}"
