"""From images, sounds and text to vectors. Needs ``pip install 'lookalike[images]'``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .audio.embedder import AudioEmbedder
    from .audio.windows import SoundWindows
    from .image.card import ModelCard
    from .image.embedder import ImageEmbedder
    from .image.pixels import PixelEmbedder
    from .opening import open_embedder
    from .protocols import Embedder
    from .text.embedder import TextImageEmbedder

# Imported at first use, so that the list of kinds loads no image decoder.
_LATER = {
    "AudioEmbedder": "audio.embedder",
    "Embedder": "protocols",
    "ImageEmbedder": "image.embedder",
    "ModelCard": "image.card",
    "PixelEmbedder": "image.pixels",
    "SoundWindows": "audio.windows",
    "TextImageEmbedder": "text.embedder",
    "open_embedder": "opening",
}

__all__ = [
    "AudioEmbedder",
    "Embedder",
    "ImageEmbedder",
    "ModelCard",
    "PixelEmbedder",
    "SoundWindows",
    "TextImageEmbedder",
    "open_embedder",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
