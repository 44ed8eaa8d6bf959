"""A graph that turns squares of pixels into vectors, ready to run: a thread a batch, or all on one batch."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ..runtime.session import OnnxSession
from .card import InputSpec, ModelCard


class ImageTower:
    """The graph of a card over pixels; may be called from many threads at once."""

    def __init__(self, card: ModelCard, session: OnnxSession) -> None:
        self.card = card
        self.device = session.device
        self._session = session
        self._output = session.output(card.output).name

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn uint8 (n, size, size, 3) into float32 (n, dim)."""
        result = self._session.run(tensor_of(squares, self.card.input), self._output)
        if result.shape[:1] != (len(squares),) or result.size != len(squares) * self.card.dim:
            raise ModelError(
                f"model {self.card.name}: dim is {self.card.dim}, but output {self._output!r} is "
                f"{result.shape} for {len(squares)} images; it must be one vector an image"
            )
        vectors: NDArray[np.float32] = result.reshape(len(squares), -1).astype(np.float32, copy=False)
        return unit(vectors) if self.card.normalize else vectors


def tensor_of(squares: NDArray[np.uint8], spec: InputSpec) -> NDArray[Any]:
    """Turn uint8 (n, size, size, 3) into what a graph takes."""
    tensor: NDArray[Any] = squares
    if spec.dtype != "uint8":
        scaled = (squares - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
        tensor = scaled.astype(spec.dtype, copy=False)
    return np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)) if spec.layout == "NCHW" else tensor


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale vectors (n, dim) to length 1; those without a length stay as they are.

    >>> unit(np.array([[3, 4], [0, 0]], np.float32))
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.where(lengths > 0, lengths, np.float32(1))
    return scaled


class IntraOpTower:
    """A tower's graph in a second session, whose intra-op threads share one batch.

    The session is opened at the second call: a process that embeds a single image would open it for nothing.
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
