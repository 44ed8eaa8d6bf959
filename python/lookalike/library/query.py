"""What a query inside the library needs no model for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .catalogue import Catalogue
from .scan import Stamp


def stored_vectors(catalogue: Catalogue, folder: Path, query: Any) -> NDArray[np.float32] | None:
    """Return the vectors, (n, dim), of a query that is a file of this folder, unchanged since its sync.

    None where it is not.
    """
    if not isinstance(query, str | os.PathLike):
        return None
    place = Path(query)
    try:
        relative = place.resolve().relative_to(folder.resolve())
        status = place.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    row = catalogue.file(os.fsencode(relative.as_posix()))
    if row is None or row.hash is None or row.stamp != Stamp(status.st_size, status.st_mtime_ns):
        return None
    return catalogue.vectors_of(row.hash)
