"""From pictures and sounds to vectors. Needs ``pip install 'lookalike[images]'``."""

from __future__ import annotations

from .audio.embedder import AudioEmbedder
from .audio.windows import SoundWindows
from .embedder import Embedder
from .image.card import ModelCard
from .image.embedder import ImageEmbedder
from .image.pixels import PixelEmbedder
from .opening import open_embedder
from .text.embedder import TextImageEmbedder

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
