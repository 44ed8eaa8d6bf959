"""Batches as large as a GPU's memory holds, found by trial; out of memory means a smaller batch."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...errors import Unsupported
from .cuda_memory import free_bytes
from .session import DeviceMemoryError

# Enough to keep a GPU busy; larger first batches would delay the first results.
# `python -m benchmarks.embed.gpu` measures each size on the GPU at hand.
_FIRST, _MOST = 32, 256


class CudaBatches:
    """Runs images through a GPU, one batch at a time, and finds how large a batch may be.

    Batches start small and double while twice the memory they took is still free: an arena that grows may be
    unable to reuse its smaller chunks. When the device still runs out of memory, the batch is halved, and
    that size is not tried again.

    Parameters
    ----------
    run
        From uint8 (n, size, size, 3) to the vectors, float32 (n, dim). Raises DeviceMemoryError.
    free
        Bytes the device has left, None if unknown; then batches keep their first size.

    Examples
    --------
    >>> import numpy as np
    >>> from lookalike.embed.runtime.cuda_batches import CudaBatches
    >>> batches = CudaBatches(lambda squares: np.zeros((len(squares), 3), np.float32), lambda: 10**9)
    >>> batches.size
    32
    >>> batches(np.zeros((32, 8, 8, 3), np.uint8)).shape, batches.size
    ((32, 3), 64)
    """

    def __init__(
        self,
        run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
        free: Callable[[], int | None] = free_bytes,
        first: int = _FIRST,
        most: int = _MOST,
    ) -> None:
        self._run, self._free = run, free
        self._most = most
        self._before: int | None = None
        self._started = False
        # One at a time: two would need the memory of two, and a GPU is no faster for it.
        self._alone = threading.Lock()
        self.size = min(first, most)
        self.limit: int | None = None

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors of any number of images, in as many batches as it takes."""
        parts, done = [], 0
        with self._alone:
            if not self._started:
                self._before, self._started = self._free(), True
            while done < len(squares):
                part = squares[done : done + (self.limit or len(squares))]
                try:
                    parts.append(self._run(part))
                except DeviceMemoryError as error:
                    self._shrink(len(part), error)
                    continue
                self._grow(len(part))
                done += len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _shrink(self, tried: int, error: Exception) -> None:
        if tried < 2:
            raise Unsupported(
                "the GPU's memory does not hold the model at work on a single image; free some of it, "
                "or use device='cpu'"
            ) from error
        self.limit = tried // 2
        self.size = min(self.size, self.limit)

    def _grow(self, tried: int) -> None:
        if tried < self.size or self.limit is not None or self._before is None:
            return
        after = self._free()
        if after is not None and 2 * (self._before - after) <= after:
            self.size = min(2 * self.size, self._most)
