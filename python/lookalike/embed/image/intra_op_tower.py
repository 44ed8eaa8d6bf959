"""Runs a lone batch with all intra-op threads, because no other batch could use them."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ..runtime.session import OnnxSession
from .tower import ImageTower


class IntraOpTower:
    """A tower's graph in a second session, whose intra-op threads share one batch.

    The session is opened at the second call: whoever embeds one image and ends would wait for it in vain.
    """

    def __init__(self, tower: ImageTower, threads: int) -> None:
        self._tower, self._threads = tower, threads
        self.wide: ImageTower | None = None
        self._calls, self._opening = 0, threading.Lock()

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn uint8 (n, size, size, 3) into float32 (n, dim)."""
        with self._opening:
            self._calls += 1
            if self._calls > 1 and self.wide is None:
                self.wide = self._open()
        return (self.wide or self._tower)(squares)

    def _open(self) -> ImageTower:
        card = self._tower.card
        try:
            return ImageTower(card, OnnxSession(card.read(), card.name, "cpu", self._threads))
        except ModelError:
            return self._tower  # The file has changed since: the first session goes on.
