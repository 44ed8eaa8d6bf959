"""The baseline every model has to beat: the picture itself, small and grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count
from ..embedder import Facts
from .inputs import ImageInputEmbedder
from .preparation import Limits, Preparation

_LIMITS = Limits()


class PixelEmbedder(ImageInputEmbedder):
    """Makes a vector of size x size greyscale pixels, 0 (black) to 255, row by row. Needs Pillow only.

    Good for finding copies and near copies, and as the baseline beside a model.

    Parameters
    ----------
    size
        Side of the small picture; vectors have size * size elements.
    threads
        Images worked on at a time; all CPUs this process may use when left out.
    max_pixels, max_bytes
        Images beyond these are refused before they are decoded.

    Attributes
    ----------
    last_errors
        What the last `embed` skipped: a list of (position, message).

    Examples
    --------
    >>> import lookalike as la, numpy as np
    >>> white = np.full((60, 80), 255, np.uint8)
    >>> la.PixelEmbedder(size=2).embed(white)
    array([[255., 255., 255., 255.]], dtype=float32)
    """

    _mode = "L"
    _batch_size = 16

    def __init__(
        self,
        size: int = 32,
        *,
        threads: int | None = None,
        max_pixels: int = _LIMITS.pixels,
        max_bytes: int = _LIMITS.bytes,
    ) -> None:
        super().__init__(threads, size=size, max_pixels=max_pixels, max_bytes=max_bytes)
        self._preparation = Preparation(as_count(size, "size"), "stretch", filter="bilinear")
        self._limits = Limits(as_count(max_pixels, "max_pixels"), as_count(max_bytes, "max_bytes"))
        name = f"pixels-{self._preparation.size}"
        self._facts = Facts(name, self._preparation.size**2, identity=name)

    def _infer(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        return squares.reshape(len(squares), self.dim).astype(np.float32)

    def __repr__(self) -> str:
        return f"PixelEmbedder(size={self._preparation.size}, threads={self._threads})"

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_preparation" in state:  # a pickle of version 0.1.0
            limits = state["_limits"]
            state = {
                "size": state["_preparation"].size, "threads": state["_threads"],
                "max_pixels": limits.pixels, "max_bytes": limits.bytes,
            }  # fmt: skip
        super().__setstate__(state)
