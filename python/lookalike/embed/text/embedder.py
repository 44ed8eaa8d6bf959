"""Words and pictures to vectors of one space."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..._checks import as_count
from ..._progress import Progress
from ...errors import ImageError, InvalidArgument, ModelError
from ..cards.fields import FILE_NAME
from ..cards.shipped import find_shipped, shipped_models
from ..image.decode import prepare
from ..image.preparation import Limits
from ..runtime.collect import Failure, OnError, as_images, collect, length_of
from ..runtime.stream import available_threads, stream

if TYPE_CHECKING:
    from ..image.card import ModelCard
    from ..image.tower import ImageTower
    from ..runtime.session import Device
    from .card import TextImageCard
    from .head import Head

_CPU_BATCH, _GPU_BATCH = 4, 32


class TextImageEmbedder:
    """A model that turns words and images into vectors of one space, where a picture is near what it shows.

    Two kinds are run. CLIP (Radford et al. 2021, "Learning transferable visual models from natural language
    supervision", section 2) has two networks, trained together on pictures and their captions; its files are
    yours to bring. ``words-lite0``, which comes with lookalike, is ConSE (Norouzi et al. 2014, "Zero-shot
    learning by convex combination of semantic embeddings", section 3): a picture is put where the names of
    the things a classifier sees in it are, weighted by how sure it is. It knows what ImageNet's thousand
    classes and their names tell, which colours, styles and scenes are not among.

    Parameters
    ----------
    model
        A shipped name; a folder with a ``model.toml`` of kind "text-image"; or a CLIP as optimum and
        transformers.js lay it out: ``text_model.onnx`` and ``vision_model.onnx``, in the folder or its
        ``onnx/``, ``preprocessor_config.json``, and ``tokenizer.json``, or ``vocab.json`` with
        ``merges.txt``, or OpenAI's ``bpe_simple_vocab_16e6.txt.gz``.
    device
        "cpu", "cuda", or "auto": CUDA where it works, else the CPU.
    threads
        Images or texts worked on at a time; all CPUs this process may use when left out.

    Attributes
    ----------
    last_errors
        What the last `embed` skipped: a list of (position, message).

    Raises
    ------
    ModelError
        The model is unknown, damaged, or not what its ``model.toml`` says; the message names the field.
    ImportError
        Words need more than is installed; the message names the extra.
    Unsupported
        CUDA was asked for and is not there.

    Examples
    --------
    >>> model = la.TextImageEmbedder("words-lite0", device="cpu", threads=1)
    >>> pictures = model.embed(["photos/castle-chambord.jpg", "photos/fish-01.jpg"])
    >>> words = model.embed_text(["a castle", "a fish"])
    >>> (words @ pictures.T).argmax(axis=1)
    array([0, 1])
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "words-lite0",
        *,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        self._arguments = {"device": device, "threads": threads}
        if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
            raise InvalidArgument(f"model is {model!r}; it must be a shipped name, or a folder with a model")
        self._model = os.fspath(model)
        self._threads = available_threads() if threads is None else as_count(threads, "threads")
        self._limits = Limits()
        self._card, self._tower, self._head = _load(self._model, device)
        from .tower import TextTower

        self._text = TextTower(self._card.text, self._card.name, self._card.dim, device)
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
        """The name and a digest of the files and the preparation: it changes when vectors would."""
        return self._card.identity

    @property
    def device(self) -> str:
        """Where the model runs: "cpu" or "cuda"."""
        return self._tower.device

    @property
    def threads(self) -> int:
        """Images or texts worked on at a time."""
        return self._threads

    def embed_text(self, texts: str | Iterable[str]) -> NDArray[np.float32]:
        """Turn texts into vectors, to be compared with those of images by cosine.

        Parameters
        ----------
        texts
            A text, or several. What is beyond the model's length (77 tokens for CLIP, some 50 words) is cut
            off.

        Returns
        -------
        float32 of shape (n, dim), each of length 1, in the order of the texts.

        Raises
        ------
        InvalidArgument
            A text is empty, or no str; the message says which.
        """
        from .tower import as_texts

        return self._text.embed(as_texts(texts), self._threads)

    def embed(
        self,
        images: Any,
        *,
        batch_size: int | None = None,
        progress: Progress = None,
        on_error: OnError = "raise",
    ) -> NDArray[np.float32]:
        """Turn images into vectors, float32 (n, dim), each of length 1.

        `ImageEmbedder.embed` says what the arguments are.

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
        """Yield (position, vector) for every image in order, or (position, ImageError) if there is none."""
        default = _GPU_BATCH if self.device == "cuda" else _CPU_BATCH
        size = default if batch_size is None else as_count(batch_size, "batch_size")
        return stream(as_images(images), self._prepare, self._infer, size, self._threads)

    def _prepare(self, image: Any) -> NDArray[np.uint8]:
        return prepare(image, self._tower.card.input.preparation, self._limits)

    def _infer(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = self._tower(squares)
        return vectors if self._head is None else self._head(vectors)

    def __repr__(self) -> str:
        return (
            f"TextImageEmbedder({self._model!r}, dim={self.dim}, device={self.device!r}, "
            f"threads={self.threads})"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._model, **self._arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _load(model: str, device: Device) -> tuple[TextImageCard, ImageTower, Head | None]:
    """Read the card, and open the pictures' side of it: a graph over pixels, and a head where it has one."""
    from ..image.graph import open_card
    from .card import HeadSpec, load_text_image_card
    from .clip_folder import is_clip_folder, open_clip_folder
    from .head import Head

    folder = find_shipped(model) or Path(model)
    if (folder / FILE_NAME).is_file():
        card = load_text_image_card(folder)
        if isinstance(card.image, HeadSpec):
            tower = open_card(card.image.over, device)
            return card, tower, Head(card.image, card.name, card.dim, device)
        return card, _open_pixels(card.image, device), None
    if is_clip_folder(folder):
        return *open_clip_folder(folder, device), None
    raise ModelError(
        f"model {model!r} is neither a shipped one ({', '.join(shipped_models('text-image'))}), nor a folder "
        f"with a {FILE_NAME} of kind 'text-image', nor one with text_model.onnx and vision_model.onnx"
    )


def _open_pixels(card: ModelCard, device: Device) -> ImageTower:
    from ..image.graph import check_card, choose_output
    from ..image.tower import ImageTower
    from ..runtime.session import OnnxSession

    session = OnnxSession(card.read(), card.name, device)
    output = card.output or choose_output(session, "image_embeds", 2, "image.output")
    card = replace(card, output=output)
    check_card(card, session)
    return ImageTower(card, session)
