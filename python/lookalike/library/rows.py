"""A row of the index and the file it is of: a photo is one row, a sound one for each of its windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The first row of a file bears the file's own id, so an index of photos needs no other names.
_BITS = 40
_FILE = (1 << _BITS) - 1


def rows_of(file: int, count: int) -> NDArray[np.int64]:
    """Return the ids of a file's rows, int64 (count,).

    >>> rows_of(7, 3) - 7 == np.arange(3) << 40
    array([ True,  True,  True])
    """
    return file + (np.arange(count, dtype=np.int64) << _BITS)


def file_of(row: int) -> int:
    """Return the id of the file a row is of."""
    return row & _FILE


def part_of(row: int) -> int:
    """Return which of its file's rows it is, from 0."""
    return row >> _BITS
