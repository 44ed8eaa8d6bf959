"""What embedders of images share: which images they take, and `embed` and `embed_stream` over those."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count, must_be_kind
from ..._progress import Progress
from ...errors import ImageError
from ..embedder import ModelEmbedder, OnError
from ..runtime.stream import stream
from .decode import prepare
from .preparation import Limits, Preparation

Vectors = Generator[tuple[int, NDArray[np.float32] | ImageError], None, None]


class ImageInputEmbedder(ModelEmbedder):
    """An embedder of images. A subclass sets the attributes below and defines `_infer`."""

    _preparation: Preparation
    _limits: Limits = Limits()
    _mode: Literal["RGB", "L"] = "RGB"
    # A batch saves next to nothing on a CPU, and a short one spreads a short list over all of them.
    _batch_size = 4

    def embed(
        self,
        images: Any,
        *,
        batch_size: int | None = None,
        progress: Progress = None,
        on_error: OnError = "raise",
    ) -> NDArray[np.float32]:
        """Turn images into vectors.

        Parameters
        ----------
        images
            Paths, bytes of image files, PIL images, uint8 arrays of shape (height, width) or (height, width,
            channels) with 1 (grey), 3 (RGB) or 4 (RGBA) channels; in a list, an iterator or a uint8 array of
            shape (n, height, width, channels). One image alone counts as a list of one.
        batch_size
            Images a thread hands the model at once. The vectors do not depend on it. A GPU takes as many as
            its memory was found to hold, up to 256, and fewer than requested where its memory is short.
        progress
            True for a bar on stderr, or a callable(done, total); one that returns False stops the call.
        on_error
            "raise" stops at the first image that cannot be used; "skip" leaves its row out, continues, and
            reports it in `last_errors` and to the logger "lookalike".

        Returns
        -------
        float32 of shape (n, dim), in the order of the images.

        Raises
        ------
        ImageError
            An image is missing, empty, truncated, too large or no image; the message names it and says which.
        """
        images = as_images(images)
        return self._collect(images, self.embed_stream(images, batch_size=batch_size), progress, on_error)

    def embed_stream(self, images: Iterable[Any], *, batch_size: int | None = None) -> Vectors:
        """Yield (position, vector) for every image in order, or (position, ImageError) where there is none.

        Images are taken a few batches ahead, so that an endless iterator will do.
        """
        size = None if batch_size is None else as_count(batch_size, "batch_size")
        return self._stream(as_images(images), size)

    def _stream(self, images: Iterable[Any], batch_size: int | None) -> Vectors:
        return stream(images, self._prepare, self._infer, batch_size or self._batch_size, self._threads)

    def _prepare(self, image: Any) -> NDArray[np.uint8]:
        return prepare(image, self._preparation, self._limits, self._mode)

    def _infer(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the vectors, float32 (n, dim), of what `_prepare` made of n images."""
        raise NotImplementedError


def as_images(images: Any) -> Iterable[Any]:
    """Return what to iterate over: a single path, bytes, PIL image or pixel array counts as one image."""
    if isinstance(images, np.ndarray) and images.ndim and images.dtype.kind not in "OUS":
        return [images] if images.ndim in (2, 3) else images
    if isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview)) or hasattr(images, "getbands"):
        return [images]
    if not isinstance(images, Iterable) or (isinstance(images, np.ndarray) and images.ndim == 0):
        raise must_be_kind("images", images, "paths, bytes, PIL images or uint8 arrays")
    return images
