"""Any model by its name: the one way in for those who do not care what kind it is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidArgument
from .cards.fields import FILE_NAME
from .cards.shipped import find_shipped
from .cards.summary import read_summary

if TYPE_CHECKING:
    from .embedder import Embedder
    from .runtime.session import Device


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
    if not isinstance(model, (str, os.PathLike)) or not os.fspath(model):
        raise InvalidArgument(
            f"model is {model!r}; it must be a name, a folder with a model.toml, or an .onnx file"
        )
    name = os.fspath(model)
    if pixels := re.fullmatch(r"pixels(?:-([1-9][0-9]{0,3}))?", name):
        from .image.pixels import PixelEmbedder

        return PixelEmbedder(int(pixels[1] or 32), threads=threads)
    from .audio.embedder import AudioEmbedder
    from .image.embedder import ImageEmbedder
    from .text.clip_folder import is_clip_folder
    from .text.embedder import TextImageEmbedder

    folder = find_shipped(name) or Path(name)
    kind = "text-image" if is_clip_folder(folder) else "image"
    if (folder / FILE_NAME).is_file():
        kind = read_summary(folder).kind
    # A kind of model is a line here.
    openers: dict[str, Callable[..., Embedder]] = {
        "image": ImageEmbedder,
        "audio": AudioEmbedder,
        "text-image": TextImageEmbedder,
    }
    return openers[kind](name, device=device, threads=threads)
