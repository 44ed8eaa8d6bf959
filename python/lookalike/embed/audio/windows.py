"""Overlapping windows of a sound, cut from a stream of blocks of samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class SoundWindows:
    """The windows of a sound as vectors; unpacks into (starts, vectors).

    Attributes
    ----------
    starts, ends
        Seconds, float64 (n,).
    vectors
        float32 (n, dim).

    Examples
    --------
    >>> import numpy as np
    >>> from lookalike.embed.audio.windows import SoundWindows
    >>> starts, vectors = SoundWindows(np.array([0.0]), np.array([0.5]), np.ones((1, 3), np.float32))
    >>> starts.tolist(), vectors.shape
    ([0.0], (1, 3))
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def __iter__(self) -> Iterator[NDArray[np.float64] | NDArray[np.float32]]:
        yield self.starts
        yield self.vectors

    def __len__(self) -> int:
        return len(self.starts)


def cut(
    blocks: Iterable[NDArray[np.float32]], window: int, hop: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield (start, end, samples) of windows of `window` samples, each `hop` after the one before it.

    The last window ends where the sound ends. What is shorter than a window is one, with silence after it.
    Windows cover every sample, and samples that came are kept only as long as a window needs them.

    >>> [(start, end, len(samples)) for start, end, samples in cut([np.ones(7), np.ones(6)], 6, 4)]
    [(0, 6, 6), (4, 10, 6), (7, 13, 6)]
    """
    kept = np.zeros(0, np.float32)  # from `at` on
    at = start = 0
    for block in blocks:
        kept = np.concatenate([kept, block])
        while start + window <= at + len(kept):
            yield start, start + window, kept[start - at : start - at + window]
            start += hop
        # A window's length before the next start is kept: the last window may have to begin in it.
        gone = min(max(start - window - at, 0), len(kept))
        kept, at = kept[gone:], at + gone
    end = at + len(kept)
    if end < window:
        yield 0, max(end, 1), np.pad(kept, (0, window - len(kept)))
    elif start - hop + window < end:
        yield end - window, end, kept[-window:]
