"""The kinds of embedding models: what `kind` in a model.toml may be. This file reads nothing else's code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Files:
    """The files an embedder is given: what they are called, and how their names end, in lower case."""

    unit: str
    suffixes: frozenset[str]


@dataclass(frozen=True)
class Kind:
    """A kind of model: the class that opens it, in a module below `lookalike.embed`, and the files it takes.

    `default` is the model of this kind that a library takes for a folder of such files, if any.
    """

    module: str
    opener: str
    files: Files
    default: str = ""


IMAGES = Files(
    "photos",
    frozenset(
        ".avif .bmp .gif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()  # noqa: SIM905
    ),
)
# What libsndfile reads.
SOUNDS = Files(
    "sounds",
    frozenset(
        ".aif .aifc .aiff .au .caf .flac .mp3 .oga .ogg .opus .rf64 .w64 .wav .wave".split()  # noqa: SIM905
    ),
)

#: THE LIST of kinds. Where a folder holds files of several, the first with a default decides.
KINDS = {
    "image": Kind("image.embedder", "ImageEmbedder", IMAGES, default="efficientnet-lite0"),
    "audio": Kind("audio.embedder", "AudioEmbedder", SOUNDS, default="spectrogram-lite0"),
    "text-image": Kind("text.embedder", "TextImageEmbedder", IMAGES),
}


def opener_of(kind: str) -> Callable[..., Any]:
    """Return the class that opens models of a kind, imported now: it may need more than is installed."""
    entry = KINDS[kind]
    opener: Callable[..., Any] = getattr(import_module(f"{__package__}.{entry.module}"), entry.opener)
    return opener
