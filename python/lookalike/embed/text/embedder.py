"""Text and images to vectors of one space."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelError
from ..cards.fields import FILE_NAME
from ..cards.located import Located, as_name, locate, shipped_models
from ..embedder import Facts
from ..image.inputs import ImageInputEmbedder

if TYPE_CHECKING:
    from ..image.card import ModelCard
    from ..image.tower import ImageTower
    from ..runtime.session import Device
    from .card import TextImageCard
    from .head import Head

_GPU_BATCH = 32


class TextImageEmbedder(ImageInputEmbedder):
    """A model that turns words and images into vectors of one space, where a picture is near what it shows.

    Two kinds are run. CLIP (Radford et al. 2021, "Learning transferable visual models from natural language
    supervision", section 2) has two networks, trained together on pictures and their captions; its files are
    yours to bring. ``words-lite0``, which comes with lookalike, is ConSE (Norouzi et al. 2014, "Zero-shot
    learning by convex combination of semantic embeddings", section 3): a picture is put where the names of
    the things a classifier sees in it are, weighted by how sure it is. It knows ImageNet's thousand
    classes by their names; colours, styles and scenes are not among them.

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
        CUDA was requested and is not available.

    Examples
    --------
    >>> model = la.TextImageEmbedder("words-lite0", device="cpu", threads=1)
    >>> pictures = model.embed(["photos/castle-chambord.jpg", "photos/fish-01.jpg"])
    >>> words = model.embed_text(["a castle", "a fish"])
    >>> (words @ pictures.T).argmax(axis=1)
    array([0, 1])
    """

    kind = "text-image"

    def __init__(
        self,
        model: str | os.PathLike[str] = "words-lite0",
        *,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        super().__init__(threads, model=as_name(model), device=device)
        self._card, self._tower, self._head = _load(locate(model), device)
        from .tower import TextTower

        self._text = TextTower(self._card.text, self._card.name, self._card.dim, device)
        self._facts = Facts(self._card.name, self._card.dim, self._card.identity, self._tower.device)
        self._preparation = self._tower.card.input.preparation
        self._batch_size = _GPU_BATCH if self.device == "cuda" else self._batch_size

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

    def _infer(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = self._tower(squares)
        return vectors if self._head is None else self._head(vectors)


def _load(found: Located, device: Device) -> tuple[TextImageCard, ImageTower, Head | None]:
    """Read the card, and open the images' side of it: a graph over pixels, and a head where it has one."""
    from ..image.graph import open_card
    from .card import HeadSpec, card_of
    from .clip_folder import is_clip_folder, open_clip_folder
    from .head import Head

    if found.fields is not None and found.file is None:
        card = card_of(found.fields, found.path)
        if isinstance(card.image, HeadSpec):
            tower = open_card(card.image.over, device)
            return card, tower, Head(card.image, card.name, card.dim, device)
        return card, _open_pixels(card.image, device), None
    if is_clip_folder(found.path):
        return *open_clip_folder(found.path, device), None
    raise ModelError(
        f"model {found.name!r} is neither a shipped one ({', '.join(shipped_models('text-image'))}), nor a "
        f"folder with a {FILE_NAME} of kind 'text-image', nor one with text_model.onnx and vision_model.onnx"
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
