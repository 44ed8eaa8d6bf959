"""Images to vectors by a neural network in an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count
from ..._progress import Progress
from ...errors import ImageError, InvalidArgument, ModelError
from ..cards.shipped import find_shipped, shipped_models
from ..runtime.collect import Failure, OnError, as_images, collect, length_of
from ..runtime.stream import Infer, available_threads, stream
from .card import ModelCard, load_card, names_file
from .decode import prepare
from .preparation import Limits

if TYPE_CHECKING:
    from ..runtime.cuda_batches import CudaBatches
    from ..runtime.session import Device
    from .intra_op_tower import LoneTower
    from .tower import ImageTower

# A batch saves next to nothing on a CPU, and a short one spreads a short list over all of them.
_CPU_BATCH = 4
_LIMITS = Limits()


class ImageEmbedder:
    """A neural network that turns images into vectors: the nearer two vectors, the more alike the images.

    Parameters
    ----------
    model
        A shipped name, a folder with a ``model.toml``, or an ``.onnx`` file. Of a bare file, without a
        ``model.toml`` that lists it, size, layout and dtype are read from the graph; where it takes float32,
        pixels are normalised by ImageNet's mean and deviation.
    device
        "cpu", "cuda", or "auto": CUDA where it works, else the CPU.
    threads
        Images worked on at a time; all CPUs this process may use when left out.
    max_pixels, max_bytes
        Images beyond these are refused before they are decoded. Pillow's own limit,
        ``PIL.Image.MAX_IMAGE_PIXELS``, holds beside them: to go beyond it, raise both.

    Attributes
    ----------
    last_errors
        What the last `embed` skipped: a list of (position, message).

    Raises
    ------
    ModelError
        The model is unknown, damaged, or not what its ``model.toml`` says; the message names the field.
    Unsupported
        CUDA was asked for and is not there, or does not start: the message has its own words.

    Examples
    --------
    >>> import lookalike as la, numpy as np
    >>> model = la.ImageEmbedder("efficientnet-lite0", device="cpu", threads=1)
    >>> grey = np.full((300, 400, 3), 127, np.uint8)
    >>> model.embed([grey, grey]).shape
    (2, 1280)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "efficientnet-lite0",
        *,
        device: Device = "auto",
        threads: int | None = None,
        max_pixels: int = _LIMITS.pixels,
        max_bytes: int = _LIMITS.bytes,
    ) -> None:
        self._arguments = {
            "device": device, "threads": threads, "max_pixels": max_pixels, "max_bytes": max_bytes
        }  # fmt: skip
        if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
            raise InvalidArgument(
                f"model is {model!r}; it must be a shipped name, a folder with a model.toml, or an .onnx file"
            )
        self._model = os.fspath(model)
        self._threads = available_threads() if threads is None else as_count(threads, "threads")
        self._limits = Limits(as_count(max_pixels, "max_pixels"), as_count(max_bytes, "max_bytes"))
        self._tower = _load(self._model, device)
        self._gpu = _batches(self._tower) if self._tower.device == "cuda" else None
        self._alone = _lone(self._tower, self._threads)
        self.last_errors: list[Failure] = []

    @property
    def name(self) -> str:
        """What people call the model."""
        return self._tower.card.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._tower.card.dim

    @property
    def identity(self) -> str:
        """The name and a digest of the file and the preparation: it changes when vectors would."""
        return self._tower.card.identity

    @property
    def card(self) -> ModelCard:
        """What the model's ``model.toml`` says."""
        return self._tower.card

    @property
    def device(self) -> str:
        """Where the model runs: "cpu" or "cuda"."""
        return self._tower.device

    @property
    def threads(self) -> int:
        """Images worked on at a time."""
        return self._threads

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
            its memory was found to hold, up to 256, and fewer than are asked for where its memory is short.
        progress
            True for a bar on stderr, or a callable(done, total); one that returns False stops the call.
        on_error
            "raise" stops at the first image that cannot be used; "skip" leaves its row out, goes on, and
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
        self.last_errors = []
        vectors, self.last_errors = collect(
            self.embed_stream(images, batch_size=batch_size), self.dim, length_of(images), progress, on_error
        )
        return vectors

    def embed_stream(
        self, images: Iterable[Any], *, batch_size: int | None = None
    ) -> Generator[tuple[int, NDArray[np.float32] | ImageError], None, None]:
        """Yield (position, vector) for every image in order, or (position, ImageError) where there is none.

        Images are taken a few batches ahead, so that an endless iterator will do.
        """
        asked = None if batch_size is None else as_count(batch_size, "batch_size")
        images = as_images(images)
        if self._gpu is None:
            size = asked or _CPU_BATCH
            return stream(images, self._prepare, self._tower, size, self._threads, self._alone)
        from ..runtime.cuda_stream import cuda_stream

        gpu = self._gpu
        return cuda_stream(images, self._prepare, gpu, lambda: asked or gpu.size, self._threads)

    def embed_squares(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pictures that are prepared already, uint8 (n, size, size, 3), into vectors (n, dim)."""
        return self._tower(squares)

    def _prepare(self, image: Any) -> NDArray[np.uint8]:
        return prepare(image, self._tower.card.input.preparation, self._limits)

    def __repr__(self) -> str:
        return (
            f"ImageEmbedder({self._model!r}, dim={self.dim}, device={self.device!r}, threads={self.threads})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._model, **self._arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _batches(run: Infer) -> CudaBatches:
    from ..runtime.cuda_batches import CudaBatches

    return CudaBatches(run)


def _lone(tower: ImageTower, threads: int) -> LoneTower:
    from .intra_op_tower import LoneTower

    return LoneTower(tower, threads)


def _load(model: str, device: Device) -> ImageTower:
    from .graph import bare_card, open_card
    from .tower import ImageTower

    path = find_shipped(model) or Path(model)
    if path.is_dir():
        return open_card(load_card(path), device)
    if names_file(path.parent, path.name):
        return open_card(load_card(path.parent, path.name), device)
    if path.is_file():
        return ImageTower(*bare_card(path, device))
    raise ModelError(
        f"model {model!r} is neither a shipped one ({', '.join(shipped_models('image'))}), nor a folder "
        "with a model.toml, nor an .onnx file. More models lie in the folder models/ of lookalike's "
        "repository: pass the path of one"
    )
