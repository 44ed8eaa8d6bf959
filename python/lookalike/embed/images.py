"""Images to vectors by a neural network in an ONNX file."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError, InvalidArgument, ModelError
from .collect import Failure, OnError, Progress, as_images, check_count, collect, length_of
from .decode import prepare
from .model_card import InputSpec, ModelCard, load_card, names_file
from .preparation import Limits
from .shipped import find_shipped, shipped_models
from .stream import Infer, available_threads, stream

if TYPE_CHECKING:
    from .cuda_batches import CudaBatches
    from .onnx_session import Device, OnnxSession

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
        CUDA was asked for and is not there.

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
                f"model is {model!r}; needed: a shipped name, a folder with a model.toml, or an .onnx file"
            )
        self._model = os.fspath(model)
        self._threads = available_threads() if threads is None else check_count("threads", threads)
        self._limits = Limits(check_count("max_pixels", max_pixels), check_count("max_bytes", max_bytes))
        self._card, self._session = _load(self._model, device)
        self._output = self._session.output(self._card.output).name
        self._wide: OnnxSession | None = None
        self._lone_calls, self._opening = 0, threading.Lock()
        self._gpu = _batches(self._infer) if self._session.device == "cuda" else None
        self.last_errors: list[Failure] = []

    @property
    def name(self) -> str:
        """What people call the model."""
        return self._card.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._card.dim

    @property
    def identity(self) -> str:
        """The name and a digest of the file and the preparation: it changes when vectors would."""
        return self._card.identity

    @property
    def card(self) -> ModelCard:
        """What the model's ``model.toml`` says."""
        return self._card

    @property
    def device(self) -> str:
        """Where the model runs: "cpu" or "cuda"."""
        return self._session.device

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
        asked = None if batch_size is None else check_count("batch_size", batch_size)
        images = as_images(images)
        if self._gpu is None:
            size, alone = asked or _CPU_BATCH, self._infer_alone
            return stream(images, self._prepare, self._infer, size, self._threads, alone)
        from .cuda_stream import cuda_stream

        gpu = self._gpu
        return cuda_stream(images, self._prepare, gpu, lambda: asked or gpu.size, self._threads)

    def _prepare(self, image: Any) -> NDArray[np.uint8]:
        return prepare(image, self._card.input.preparation, self._limits)

    def _infer_alone(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Infer the only batch there is, with all threads at work inside it.

        That takes a session of its own, which is opened at the second such call: whoever embeds one image and
        ends would wait for it in vain.
        """
        self._lone_calls += 1
        if self._lone_calls == 1:
            return self._infer(squares)
        with self._opening:
            if self._wide is None:
                from .onnx_session import OnnxSession

                try:
                    self._wide = OnnxSession(self._card.read(), self._card.name, "cpu", self._threads)
                except ModelError:
                    # The file has changed since: what was opened goes on.
                    self._wide = self._session
        return self._infer(squares, self._wide)

    def _infer(self, squares: NDArray[np.uint8], session: OnnxSession | None = None) -> NDArray[np.float32]:
        result = (session or self._session).run(tensor_of(squares, self._card.input), self._output)
        vectors: NDArray[np.float32] = result.reshape(len(squares), -1).astype(np.float32, copy=False)
        if vectors.shape[1] != self.dim:
            raise ModelError(
                f"model {self.name}: dim is {self.dim}, but the graph gave vectors of {vectors.shape[1]}"
            )
        if self._card.normalize:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(lengths > 0, lengths, np.float32(1))
        return vectors

    def __repr__(self) -> str:
        return (
            f"ImageEmbedder({self._model!r}, dim={self.dim}, device={self.device!r}, threads={self.threads})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._model, **self._arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def tensor_of(squares: NDArray[np.uint8], spec: InputSpec) -> NDArray[Any]:
    """Turn uint8 (n, size, size, 3) into what a graph takes."""
    tensor: NDArray[Any] = squares
    if spec.dtype != "uint8":
        scaled = (squares - np.array(spec.mean, np.float32)) / np.array(spec.std, np.float32)
        tensor = scaled.astype(spec.dtype, copy=False)
    return np.ascontiguousarray(tensor.transpose(0, 3, 1, 2)) if spec.layout == "NCHW" else tensor


def _batches(run: Infer) -> CudaBatches:
    from .cuda_batches import CudaBatches

    return CudaBatches(run)


def _load(model: str, device: Device) -> tuple[ModelCard, OnnxSession]:
    from .onnx_graph import bare_card, check_card
    from .onnx_session import OnnxSession

    path = find_shipped(model) or Path(model)
    if path.is_dir():
        card = load_card(path)
    elif path.is_file() and names_file(path.parent, path.name):
        card = load_card(path.parent, path.name)
    elif path.is_file():
        return bare_card(path, device)
    else:
        raise ModelError(
            f"model {model!r} is neither a shipped one ({', '.join(shipped_models('image'))}), nor a folder "
            "with a model.toml, nor an .onnx file"
        )
    session = OnnxSession(card.read(), card.name, device)
    check_card(card, session)
    return card, session
