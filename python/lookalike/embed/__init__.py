"""From pictures and sounds to vectors. Needs ``pip install 'lookalike[images]'``."""

from __future__ import annotations

from .embedder import Embedder
from .images import ImageEmbedder
from .model_card import ModelCard
from .opening import open_embedder
from .pixels import PixelEmbedder
from .sounds import AudioEmbedder
from .text_image import TextImageEmbedder
from .windows import SoundWindows

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
