"""Images to vectors by a neural network in an ONNX file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count
from ...errors import ModelError
from ..cards.located import Located, as_name, locate, shipped_models
from ..embedder import Facts
from ..runtime.stream import stream
from .card import ModelCard, card_of, load_card
from .inputs import ImageInputEmbedder, Vectors
from .preparation import Limits

if TYPE_CHECKING:
    from ..runtime.session import Device
    from .tower import ImageTower

_LIMITS = Limits()


class ImageEmbedder(ImageInputEmbedder):
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
        CUDA was requested and is not available, or does not start; the message says why.

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
        super().__init__(
            threads, model=as_name(model), device=device, max_pixels=max_pixels, max_bytes=max_bytes
        )
        self._limits = Limits(as_count(max_pixels, "max_pixels"), as_count(max_bytes, "max_bytes"))
        self._tower = _load(locate(model), device)
        card = self._tower.card
        self._facts = Facts(card.name, card.dim, card.identity, self._tower.device)
        self._preparation = card.input.preparation
        from ..runtime.cuda_batches import CudaBatches
        from .tower import IntraOpTower

        self._gpu = CudaBatches(self._tower) if self.device == "cuda" else None
        self._single = IntraOpTower(self._tower, self._threads)

    @property
    def card(self) -> ModelCard:
        """What the model's ``model.toml`` says."""
        return self._tower.card

    def embed_squares(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn pictures that are prepared already, uint8 (n, size, size, 3), into vectors (n, dim)."""
        return self._tower(squares)

    def _stream(self, images: Iterable[Any], batch_size: int | None) -> Vectors:
        if self._gpu is None:
            size = batch_size or self._batch_size
            return stream(images, self._prepare, self._tower, size, self._threads, self._single)
        from ..runtime.cuda_stream import cuda_stream

        gpu = self._gpu
        return cuda_stream(images, self._prepare, gpu, lambda: batch_size or gpu.size, self._threads)


def _load(found: Located, device: Device) -> ImageTower:
    from .graph import bare_card, open_card
    from .tower import ImageTower

    if found.fields is not None:
        return open_card(card_of(found.fields, found.path, found.file), device)
    if found.path.is_dir():
        return open_card(load_card(found.path), device)  # raises: there is no model.toml
    if found.path.is_file():
        return ImageTower(*bare_card(found.path, device))
    raise ModelError(
        f"model {found.name!r} is neither a shipped one ({', '.join(shipped_models('image'))}), nor a folder "
        "with a model.toml, nor an .onnx file. More models lie in the folder models/ of lookalike's "
        "repository: pass the path of one"
    )
