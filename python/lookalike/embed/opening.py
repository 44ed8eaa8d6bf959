"""Any model by its name: the one way in for those who do not care what kind it is."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from .cards.located import Located, as_name, locate
from .kinds import KINDS, opener_of

if TYPE_CHECKING:
    from .protocols import Embedder
    from .runtime.session import Device

_PIXELS = re.compile(r"pixels(?:-([1-9][0-9]{0,3}))?")


def open_embedder(
    model: str | os.PathLike[str], *, device: Device = "auto", threads: int | None = None
) -> Embedder:
    """Open a model: a shipped name, ``pixels`` or ``pixels-SIDE``, a folder, or an .onnx file.

    A folder has a ``model.toml``, or the two towers of a CLIP. Raises ModelError where there is no such
    model, or it is not what its card says.

    Examples
    --------
    >>> from lookalike.embed.opening import open_embedder
    >>> open_embedder("pixels-16").dim
    256
    """
    if pixels := _PIXELS.fullmatch(as_name(model)):
        from .image.pixels import PixelEmbedder

        return PixelEmbedder(int(pixels[1] or 32), threads=threads)
    found = locate(model)
    embedder: Embedder = opener_of(_kind_of(found))(found, device=device, threads=threads)
    return embedder


def kind_of(model: str | os.PathLike[str]) -> str:
    """Return which of `KINDS` a model is, without opening it; "image" where there is no such model."""
    return "image" if _PIXELS.fullmatch(as_name(model)) else _kind_of(locate(model))


def _kind_of(found: Located) -> str:
    """Return the kind that model.toml states; without one a CLIP is known by its files."""
    if found.fields is not None:
        return str(found.fields.one_of("kind", KINDS, "image")) if found.file is None else "image"
    from .text.clip_folder import is_clip_folder

    return "text-image" if is_clip_folder(found.path) else "image"
