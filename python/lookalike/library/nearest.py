"""The rows nearest to a query of one vector or several."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .catalogue import file_of, part_of
from .index_file import Snapshot

Times = tuple[float, float]
_BLOCK = 256


def nearest(state: Snapshot, queries: NDArray[np.float32], k: int) -> list[tuple[bytes, Times | None, float]]:
    """Return (path, times, distance) of the `k` rows nearest to any of the queries, float32 (n, dim).

    Of overlapping windows of one sound only the nearest is returned: they hold the same moment.
    """
    if state.index is None:
        return []
    # A returned window hides only those it overlaps, so this many rows are enough.
    wanted = min(k * (1 + _most_overlapped(state)), len(state.index))
    best: dict[int, float] = {}
    for first in range(0, len(queries), _BLOCK):
        ids, distances = state.index.search(queries[first : first + _BLOCK], wanted)
        for row, distance in zip(ids.ravel().tolist(), distances.ravel().tolist(), strict=True):
            if distance < best.get(row, math.inf):
                best[row] = distance
    kept: list[tuple[bytes, Times | None, float]] = []
    taken: dict[int, list[Times]] = {}
    for row, distance in sorted(best.items(), key=lambda item: item[1]):
        file = file_of(row)
        if len(kept) == k or file not in state.paths:
            continue
        times = state.times_of(file, part_of(row))
        if times is not None:
            if any(_overlap(times, other) for other in taken.get(file, [])):
                continue
            taken.setdefault(file, []).append(times)
        kept.append((state.paths[file], times, max(distance, 0.0)))
    return kept


def _overlap(one: Times, other: Times) -> bool:
    """Whether two windows share more than the rounding of their times."""
    return min(one[1], other[1]) - max(one[0], other[0]) > 1e-3


def _most_overlapped(state: Snapshot) -> int:
    """Return how many other windows of its sound a window can overlap, at most."""
    most = 0
    for times in state.times.values():
        earlier = np.searchsorted(times[:, 1], times[:, 0], "right")
        later = np.searchsorted(times[:, 0], times[:, 1], "left")
        most = max(most, int((later - earlier).max()) - 1)
    return most
