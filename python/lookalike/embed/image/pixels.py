"""The baseline every model has to beat: the picture itself, small and grey."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count
from ..._progress import Progress
from ...errors import ImageError
from ..runtime.collect import Failure, OnError, as_images, collect, length_of
from ..runtime.stream import available_threads, stream
from .decode import prepare
from .preparation import Limits, Preparation

_LIMITS = Limits()


class PixelEmbedder:
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

    def __init__(
        self,
        size: int = 32,
        *,
        threads: int | None = None,
        max_pixels: int = _LIMITS.pixels,
        max_bytes: int = _LIMITS.bytes,
    ) -> None:
        self._preparation = Preparation(as_count(size, "size"), "stretch", filter="bilinear")
        self._threads = available_threads() if threads is None else as_count(threads, "threads")
        self._limits = Limits(as_count(max_pixels, "max_pixels"), as_count(max_bytes, "max_bytes"))
        self.last_errors: list[Failure] = []

    @property
    def name(self) -> str:
        """What people call the model."""
        return f"pixels-{self._preparation.size}"

    @property
    def dim(self) -> int:
        """Length of a vector: size * size."""
        return self._preparation.size**2

    @property
    def identity(self) -> str:
        """What tells models apart; here the name says it all."""
        return self.name

    def embed(
        self,
        images: Any,
        *,
        batch_size: int = 16,
        progress: Progress = None,
        on_error: OnError = "raise",
    ) -> NDArray[np.float32]:
        """Turn images into vectors, float32 (n, dim); `ImageEmbedder.embed` says what the arguments are.

        Raises
        ------
        ImageError
            An image is missing, empty, truncated, too large or no image; the message names it and says which.
        """
        images = as_images(images)
        self.last_errors = []
        vectors, self.last_errors = collect(
            self.embed_stream(images, batch_size=batch_size), self.dim, length_of(images), progress, on_error
        )
        return vectors

    def embed_stream(
        self, images: Iterable[Any], *, batch_size: int = 16
    ) -> Generator[tuple[int, NDArray[np.float32] | ImageError], None, None]:
        """Yield (position, vector) for every image in order, or (position, ImageError) if there is none."""
        size = as_count(batch_size, "batch_size")
        return stream(as_images(images), self._prepare, self._infer, size, self._threads)

    def _prepare(self, image: Any) -> NDArray[np.uint8]:
        return prepare(image, self._preparation, self._limits, "L")

    def _infer(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        return squares.reshape(len(squares), self.dim).astype(np.float32)

    def __repr__(self) -> str:
        return f"PixelEmbedder(size={self._preparation.size}, threads={self._threads})"
